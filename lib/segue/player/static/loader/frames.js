// Jupyter's messages in the binary form of its websocket: a list of offsets, then the parts they point at.

const OFFSET_BYTES = 8;
const PARTS_BEFORE_BUFFERS = 5;

/** The bytes of one message on the shell channel. */
export function frame(header, content) {
  const encoder = new TextEncoder();
  const texts = ["shell", JSON.stringify(header), "{}", "{}", JSON.stringify(content)];
  const parts = texts.map((text) => encoder.encode(text));
  const count = parts.length + 1;
  let end = OFFSET_BYTES * (count + 1);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, end));
  const view = new DataView(bytes.buffer);
  const write = (index, value) => view.setBigUint64(OFFSET_BYTES * index, BigInt(value), true);
  write(0, count);
  write(1, end);
  parts.forEach((part, index) => {
    bytes.set(part, end);
    end += part.length;
    write(index + 2, end);
  });
  return bytes;
}

/** {type, content, buffers} of a message that the kernel sent. */
export function unframe(data) {
  const view = new DataView(data);
  const read = (index) => Number(view.getBigUint64(OFFSET_BYTES * index, true));
  const part = (index) => new DataView(data, read(index + 1), read(index + 2) - read(index + 1));
  const parse = (index) => JSON.parse(new TextDecoder().decode(part(index)));
  const buffers = [];
  for (let index = PARTS_BEFORE_BUFFERS; index < read(0) - 1; index += 1) buffers.push(part(index));
  return { type: parse(1).msg_type, content: parse(4), buffers };
}
