//! Prints the analysis of each file named on the command line, one line a file.

use bliss_audio::decoder::{symphonia::SymphoniaDecoder, Decoder};

fn main() {
    for path in std::env::args().skip(1) {
        match SymphoniaDecoder::song_from_path(&path) {
            Ok(song) => println!("{:?}", song.analysis.as_vec()),
            Err(error) => {
                eprintln!("{path}: {error}");
                std::process::exit(1);
            }
        }
    }
}
