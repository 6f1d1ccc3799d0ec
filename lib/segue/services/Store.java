import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.AbstractUniqueIndex;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.BinData;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.RandomAccessStore;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/**
 * MongoDB's wire protocol over one H2 file. A command that writes is answered after its commit, so a killed
 * store loses nothing that it acknowledged; a commit falls between commands, so it never holds half of one.
 */
public final class Store extends H2Backend {
    private static final Set<String> READING = Set.of(
        "find", "getmore", "count", "distinct", "killcursors", "ping", "ismaster", "hello", "buildinfo",
        "listcollections", "listindexes", "listdatabases", "endsessions", "serverstatus", "dbstats", "collstats");
    private static final long PAUSE_MS = 20;
    private static final int ROUNDS_A_MOVE = 50;
    private static final int SLICE_BYTES = 1 << 20;
    private static final int SLICE_BETWEEN_WRITES_BYTES = 1 << 18;
    private static final int FULL_PERCENT = 70;
    // To keep a large file fuller than this while documents change costs as much as the changes themselves.
    private static final int FULL_BETWEEN_WRITES_PERCENT = 50;
    private static final long LARGE_BYTES = 32 << 20;

    private final MVStore store;
    private final ReadWriteLock commands = new ReentrantReadWriteLock(true);
    private final AtomicLong finished = new AtomicLong();
    private long committed;
    private long movable = SLICE_BYTES;
    private volatile boolean closing;

    private Store(MVStore store) {
        super(store);
        this.store = store;
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
        return new Database(name);
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
        // Registered, the pages that this command reads are not reused before it ends.
        MVStore.TxCounter usage = store.registerVersionUsage();
        try {
            if (READING.contains(command.toLowerCase())) {
                return super.handleCommand(channel, database, command, query);
            }
            return write(channel, database, command, query);
        } finally {
            store.deregisterVersionUsage(usage);
        }
    }

    private Document write(Channel channel, String database, String command, Document query) {
        long turn;
        Document answer;
        commands.readLock().lock();
        try {
            answer = super.handleCommand(channel, database, command, query);
        } finally {
            turn = finished.incrementAndGet();
            commands.readLock().unlock();
        }
        commit(turn);
        return answer;
    }

    /** Commit a finished command, and with it all that finished meanwhile. */
    private void commit(long turn) {
        commands.writeLock().lock();
        try {
            if (committed < turn) {
                long all = finished.get();
                if (store.isClosed()) {
                    throw new IllegalStateException("the store has been closed");
                }
                store.commit();
                committed = all;
            }
        } catch (RuntimeException failure) {
            stop(failure);
            throw failure;
        } finally {
            commands.writeLock().unlock();
        }
    }

    /** Give the space of overwritten documents back, in slices between the commands. */
    private void compact() {
        long seen = 0;
        boolean more = true;
        for (int round = 0; !store.isClosed(); round++) {
            long now = finished.get();
            if (more || now != seen) {
                more = compactSlice(now == seen, round % ROUNDS_A_MOVE == 0);
                seen = now;
            }
            try {
                Thread.sleep(PAUSE_MS);
            } catch (InterruptedException interrupted) {
                return;
            }
        }
        stop(store.getPanicException());
    }

    /** Rewrite what is left in sparse chunks and, as that waits for the disk, only at times close the gaps. */
    private boolean compactSlice(boolean quiet, boolean move) {
        RandomAccessStore file = (RandomAccessStore) store.getFileStore();
        commands.writeLock().lock();
        try {
            if (store.isClosed()) {
                return false;
            }
            boolean rewritten = quiet || file.size() < LARGE_BYTES
                ? store.compact(FULL_PERCENT, SLICE_BYTES)
                : store.compact(FULL_BETWEEN_WRITES_PERCENT, SLICE_BETWEEN_WRITES_BYTES);
            store.commit();
            store.executeFilestoreOperation(file::dropUnusedChunks);
            boolean gaps = file.getFillRate() < FULL_PERCENT;
            boolean open = gaps && (quiet || move) ? closeGaps(file, quiet) : gaps;
            return rewritten || open;
        } catch (RuntimeException failure) {
            stop(failure);
            throw failure;
        } finally {
            commands.writeLock().unlock();
        }
    }

    /** Move chunks from the file's end into its gaps, and tell whether it is worth going on. */
    private boolean closeGaps(RandomAccessStore file, boolean quiet) {
        long size = file.size();
        // What is moved stands twice in the file for a moment; a chunk larger than the limit does not move.
        file.compactMoveChunks(FULL_PERCENT, quiet ? movable : Math.min(movable, size / 8), store);
        if (file.size() < size) {
            movable = SLICE_BYTES;
        } else if (quiet) {
            movable *= 2;
        }
        boolean hopeless = movable > size;
        movable = hopeless ? SLICE_BYTES : movable;
        return !hopeless;
    }

    @Override
    public void close() {
        closing = true;
        commands.writeLock().lock();
        try {
            super.close();
        } finally {
            commands.writeLock().unlock();
        }
    }

    /** End at once: nothing more may be acknowledged, and the next start finds the last commit. */
    private void stop(Exception failure) {
        if (closing) {
            return;
        }
        System.err.println("the store cannot write its file and ends: " + failure);
        Runtime.getRuntime().halt(1);
    }

    /** A database whose maps hold BSON instead of serialized Java objects. */
    private final class Database extends H2Database {
        Database(String name) {
            super(name, getMvStore(), getCursorRegistry());
        }

        // H2Database opens its maps by name and so finds the one opened here, with its type.
        @Override
        protected MongoCollection<Object> openOrCreateCollection(String collection, CollectionOptions options) {
            String name = "databases." + getFullCollectionNamespace(collection);
            getMvStore().openMap(name, new MVMap.Builder<Object, Document>().valueType(new DocumentType()));
            return super.openOrCreateCollection(collection, options);
        }

        @Override
        protected Index<Object> openOrCreateUniqueIndex(
                String collection, String index, List<IndexKey> keys, boolean sparse) {
            String name = getFullCollectionNamespace(collection) + "._index_" + index;
            return new UniqueIndex(
                getMvStore().openMap(name, new MVMap.Builder<KeyValue, Object>().keyType(new KeyType())),
                index, keys, sparse);
        }

        // H2Database would also drop every database whose name begins with this one's.
        @Override
        public void drop(Oplog oplog) {
            for (String prefix : List.of("", "databases.", "meta.")) {
                for (String map : getMvStore().getMapNames()) {
                    if (map.startsWith(prefix + getDatabaseName() + ".")) {
                        getMvStore().removeMap(map);
                    }
                }
            }
        }
    }

    /** A unique index that also serves queries with further conditions, such as {_id: x, offset: 7}. */
    private static final class UniqueIndex extends AbstractUniqueIndex<Object> {
        private final MVMap<KeyValue, Object> positions;

        UniqueIndex(MVMap<KeyValue, Object> positions, String name, List<IndexKey> keys, boolean sparse) {
            super(name, keys, sparse);
            this.positions = positions;
        }

        @Override
        public synchronized boolean canHandle(Document query) {
            Document own = new Document();
            for (String key : keys()) {
                if (!query.containsKey(key)) {
                    return false;
                }
                own.put(key, query.get(key));
            }
            return super.canHandle(own);
        }

        @Override
        protected Object removeDocument(KeyValue key) {
            return positions.remove(key);
        }

        @Override
        protected boolean putKeyPosition(KeyValue key, Object position) {
            return positions.putIfAbsent(key, Missing.ofNullable(position)) == null;
        }

        @Override
        protected Iterable<Map.Entry<KeyValue, Object>> getIterable() {
            return positions.entrySet();
        }

        @Override
        protected Object getPosition(KeyValue key) {
            return positions.get(key);
        }

        @Override
        public long getCount() {
            return positions.sizeAsLong();
        }

        @Override
        public boolean isEmpty() {
            return positions.isEmpty();
        }

        @Override
        public long getDataSize() {
            return getCount();
        }
    }

    private static final class DocumentType extends BasicDataType<Document> {
        @Override
        public int getMemory(Document document) {
            return 128 + size(document);
        }

        /** About the bytes of a value as BSON; asked twice for each write, it must not encode to know. */
        private static int size(Object value) {
            if (value instanceof BinData binary) {
                return 5 + binary.getData().length;
            }
            if (value instanceof String text) {
                return 5 + text.length();
            }
            int bytes = 8;
            if (value instanceof Map<?, ?> document) {
                for (Map.Entry<?, ?> entry : document.entrySet()) {
                    bytes += 2 + ((String) entry.getKey()).length() + size(entry.getValue());
                }
            } else if (value instanceof Collection<?> list) {
                for (Object element : list) {
                    bytes += 4 + size(element);
                }
            }
            return bytes;
        }

        private static ByteBuf encode(Document document) {
            ByteBuf bytes = Unpooled.buffer(64 + size(document));
            BsonEncoder.encodeDocument(document, bytes);
            return bytes;
        }

        @Override
        public void write(WriteBuffer out, Document document) {
            out.put(encode(document).nioBuffer());
        }

        @Override
        public Document read(ByteBuffer in) {
            ByteBuf bytes = Unpooled.wrappedBuffer(in);
            Document document = BsonDecoder.decodeBson(bytes);
            in.position(in.position() + bytes.readerIndex());
            return document;
        }

        @Override
        public Document[] createStorage(int size) {
            return new Document[size];
        }
    }

    private static final class KeyType extends BasicDataType<KeyValue> {
        private static final byte ABSENT = 0;

        @Override
        public int getMemory(KeyValue key) {
            return 64 * key.size();
        }

        @Override
        public int compare(KeyValue a, KeyValue b) {
            if (a.size() == 1 && b.size() == 1 && a.get(0) instanceof String x && b.get(0) instanceof String y
                    && isAscii(x) && isAscii(y)) {
                // As the encoded forms compare: by the length, its low byte first, then by the characters.
                return x.length() == y.length() ? x.compareTo(y) : Integer.compareUnsigned(
                    Integer.reverseBytes(x.length() + 1), Integer.reverseBytes(y.length() + 1));
            }
            return encode(a).compareTo(encode(b));
        }

        private static boolean isAscii(String text) {
            for (int i = 0; i < text.length(); i++) {
                if (text.charAt(i) >= 0x80) {
                    return false;
                }
            }
            return true;
        }

        private static ByteBuf encode(KeyValue key) {
            ByteBuf bytes = Unpooled.buffer(64);
            bytes.writeByte(key.size());
            for (Object value : key) {
                if (value instanceof Missing) {
                    bytes.writeByte(ABSENT);
                } else {
                    byte type = BsonEncoder.determineType(value);
                    bytes.writeByte(type);
                    BsonEncoder.encodeValue(type, value, bytes);
                }
            }
            return bytes;
        }

        @Override
        public void write(WriteBuffer out, KeyValue key) {
            out.put(encode(key).nioBuffer());
        }

        @Override
        public KeyValue read(ByteBuffer in) {
            ByteBuf bytes = Unpooled.wrappedBuffer(in);
            Object[] values = new Object[bytes.readByte()];
            for (int i = 0; i < values.length; i++) {
                byte type = bytes.readByte();
                values[i] = type == ABSENT ? Missing.getInstance() : BsonDecoder.decodeValue(type, bytes);
            }
            in.position(in.position() + bytes.readerIndex());
            return new KeyValue(values);
        }

        @Override
        public KeyValue[] createStorage(int size) {
            return new KeyValue[size];
        }
    }

    public static void main(String[] arguments) {
        MVStore file = new MVStore.Builder()
            .fileName(arguments[1]).pageSplitSize(4096).cacheSize(64).autoCommitDisabled().autoCommitBufferSize(0).open();
        file.setRetentionTime(0);
        file.setVersionsToKeep(0);
        Store store = new Store(file);
        MongoServer server = new MongoServer(store);
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        Thread compaction = new Thread(store::compact, "compaction");
        compaction.setDaemon(true);
        compaction.start();
        server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
    }
}
