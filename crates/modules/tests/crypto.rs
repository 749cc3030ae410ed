//! `crypto` against RustCrypto and crc32fast, and the vectors of the standards.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit;
use sha2::{Digest, Sha256};

use crate::args;
use crate::driver::{Argument, Called, Calls, Target, native_and_machine};
use crate::random::Random;

const KEY: u32 = 0;
const MESSAGE: u32 = 1 << 10;
const OUT: u32 = 40 << 10;
const STATE: u32 = 60 << 10;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}

fn sha256(calls: &mut Calls, random: &mut Random, count: usize) {
    let message = random.bytes(count);
    let digest = Sha256::digest(&message);
    calls.write(MESSAGE, &message);
    calls.call("sha256", args![MESSAGE, count as u32, OUT]);
    calls.reads(OUT, &digest);
    // In parts of any lengths, some of them empty.
    calls.call("sha256_begin", args![STATE]);
    let mut at = 0;
    while at < count {
        let part = random.below(100).min(count - at);
        calls.call(
            "sha256_update",
            args![STATE, MESSAGE + at as u32, part as u32],
        );
        at += part;
    }
    calls.call("sha256_end", args![STATE, OUT + 64]);
    calls.reads(OUT + 64, &digest);
}

fn keyed(calls: &mut Calls, random: &mut Random, count: usize) {
    let key_count = random.below(140);
    let key = random.bytes(key_count);
    let message = random.bytes(count);
    calls.write(KEY, &key);
    calls.write(MESSAGE, &message);
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).expect("any length");
    mac.update(&message);
    let arguments = args![KEY, key_count as u32, MESSAGE, count as u32, OUT];
    calls.call("hmac_sha256", arguments);
    calls.reads(OUT, &mac.finalize().into_bytes());

    let (pseudorandom, expander) = Hkdf::<Sha256>::extract(Some(&key), &message);
    let arguments = args![KEY, key_count as u32, MESSAGE, count as u32, OUT];
    calls.call("hkdf_extract", arguments);
    calls.reads(OUT, &pseudorandom);
    let mut derived = vec![0; random.below(calls.target.cases(300, 50))];
    expander.expand(&message, &mut derived).expect("few bytes");
    let arguments = args![OUT, MESSAGE, count as u32, OUT + 64, derived.len() as u32];
    calls.returns("hkdf_expand", arguments, 1);
    calls.reads(OUT + 64, &derived);
}

fn stream(calls: &mut Calls, random: &mut Random, count: usize) {
    let (key, nonce) = (random.bytes(32), random.bytes(12));
    let counter = random.word() >> 1;
    let mut message = random.bytes(count);
    calls.write(KEY, &key);
    calls.write(KEY + 64, &nonce);
    calls.write(MESSAGE, &message);
    let mut cipher = ChaCha20::new_from_slices(&key, &nonce).expect("32 and 12 bytes");
    cipher.seek(u64::from(counter) * 64);
    cipher.apply_keystream(&mut message);
    let to = [MESSAGE, OUT][random.below(2)];
    calls.call(
        "chacha20",
        args![KEY, counter, KEY + 64, MESSAGE, to, count as u32],
    );
    calls.reads(to, &message);

    let mut block = [0; 64];
    cipher.seek(u64::from(counter) * 64);
    cipher.apply_keystream(&mut block);
    calls.call("chacha20_block", args![KEY, counter, KEY + 64, OUT]);
    calls.reads(OUT, &block);
}

fn authenticated(calls: &mut Calls, random: &mut Random, count: usize) {
    let mut key = random.bytes(32);
    let mut message = random.bytes(count);
    match random.below(4) {
        // Limbs near their limits, and sums near 2^130 - 5.
        0 => {
            key.fill(0xff);
            message.fill(0xff);
        }
        1 => {
            key[..16].fill(0);
            key[0] = 1 + random.below(3) as u8;
            message.fill([0xff, 0xfb, 0xfc, 0xfa][random.below(4)]);
        }
        _ => {}
    }
    calls.write(KEY, &key);
    calls.write(MESSAGE, &message);
    let tag = Poly1305::new_from_slice(&key)
        .expect("32 bytes")
        .compute_unpadded(&message);
    calls.call("poly1305", args![KEY, MESSAGE, count as u32, OUT]);
    calls.reads(OUT, &tag);
}

fn checked(calls: &mut Calls, random: &mut Random, count: usize) {
    let message = random.bytes(count);
    calls.write(MESSAGE, &message);
    let split = random.below(count + 1);
    let [first, whole] = [&message[..split], &message].map(crc32fast::hash);
    calls.returns("crc32", args![0, MESSAGE, split as u32], first);
    let arguments = args![first, MESSAGE + split as u32, (count - split) as u32];
    calls.returns("crc32", arguments, whole);
    let mut other = message.clone();
    calls.write(OUT, &other);
    calls.returns("equal", args![MESSAGE, OUT, count as u32], 1);
    if count > 0 {
        other[random.below(count)] ^= 1 << random.below(8);
        calls.write(OUT, &other);
        calls.returns("equal", args![MESSAGE, OUT, count as u32], 0);
    }
}

pub(crate) fn all(target: Target) -> Called {
    let mut random = Random::new(2);
    let mut calls = Calls::new("crypto", target);
    let counts: Vec<usize> = match target {
        Target::Native => (0..200).chain([1000, 4096, 10_000]).collect(),
        Target::Machine => vec![0, 1, 55, 56, 64, 100],
        Target::Imported => vec![0, 56, 70],
    };
    for count in counts {
        for function in [sha256, keyed, stream, authenticated, checked] {
            function(&mut calls, &mut random, count);
        }
    }
    calls.run()
}

native_and_machine!(all);

/// Calls a function with the inputs of a published vector, and expects its output.
fn vector(
    calls: &mut Calls,
    name: &str,
    arguments: &[Argument],
    inputs: &[(u32, &[u8])],
    expected: &str,
) {
    for (offset, bytes) in inputs {
        calls.write(*offset, bytes);
    }
    calls.call(name, arguments);
    calls.reads(OUT, &hex(expected));
}

pub(crate) fn published(target: Target) -> Called {
    let mut calls = Calls::new("crypto", target);
    let calls = &mut calls;
    let counting: Vec<u8> = (0..32).collect();

    // FIPS 180-4, examples of NIST's "SHA256.pdf": one block, two blocks.
    let digests = [
        (
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ];
    for (message, digest) in digests {
        let arguments = args![MESSAGE, message.len() as u32, OUT];
        vector(
            calls,
            "sha256",
            arguments,
            &[(MESSAGE, message.as_bytes())],
            digest,
        );
    }

    // RFC 4231, test cases 1, 2 and 6.
    let tags: [(&[u8], &[u8], &str); 3] = [
        (
            &[0x0b; 20],
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ];
    for (key, message, tag) in tags {
        let arguments = args![KEY, key.len() as u32, MESSAGE, message.len() as u32, OUT];
        vector(
            calls,
            "hmac_sha256",
            arguments,
            &[(KEY, key), (MESSAGE, message)],
            tag,
        );
    }

    // RFC 5869, appendix A.1.
    let salt: Vec<u8> = (0..13).collect();
    let info: Vec<u8> = (0xf0..0xfa).collect();
    vector(
        calls,
        "hkdf_extract",
        args![KEY, 13, MESSAGE, 22, OUT],
        &[(KEY, &salt), (MESSAGE, &[0x0b; 22])],
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
    );
    vector(
        calls,
        "hkdf_expand",
        args![OUT, MESSAGE, 10, OUT, 42],
        &[(MESSAGE, &info)],
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );

    // RFC 8439, sections 2.3.2, 2.4.2 and 2.5.2.
    vector(
        calls,
        "chacha20_block",
        args![KEY, 1, KEY + 64, OUT],
        &[
            (KEY, &counting),
            (KEY + 64, &hex("000000090000004a00000000")),
        ],
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e\
         d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
    );
    let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
        the future, sunscreen would be it.";
    vector(
        calls,
        "chacha20",
        args![KEY, 1, KEY + 64, MESSAGE, OUT, 114],
        &[
            (KEY, &counting),
            (KEY + 64, &hex("000000000000004a00000000")),
            (MESSAGE, text),
        ],
        "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b357\
         1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736\
         5af90bbf74a35be6b40b8eedf2785e42874d",
    );
    vector(
        calls,
        "poly1305",
        args![KEY, MESSAGE, 34, OUT],
        &[
            (
                KEY,
                &hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"),
            ),
            (MESSAGE, b"Cryptographic Forum Research Group"),
        ],
        "a8061dc1305136c6c22b8baf0c0127a9",
    );
    // RFC 8439, appendix A.3: vectors 7 to 11, whose sums are near 2^130 - 5.
    let edges = [
        ("02", "ff".repeat(16), "03"),
        ("02", "02".to_owned() + &"00".repeat(15), "03"),
        (
            "01",
            "ff".repeat(16) + "f0" + &"ff".repeat(15) + "11" + &"00".repeat(15),
            "05",
        ),
        (
            "01",
            "ff".repeat(16) + "fb" + &"fe".repeat(15) + &"01".repeat(16),
            "00",
        ),
        ("02", "fd".to_owned() + &"ff".repeat(15), "fa"),
    ];
    for (at, (r, message, first)) in edges.into_iter().enumerate() {
        let mut key = vec![0; 32];
        key[0] = hex(r)[0];
        if at == 1 {
            key[16..].fill(0xff);
        }
        let message = hex(&message);
        let arguments = args![KEY, MESSAGE, message.len() as u32, OUT];
        let rest = if at == 4 { "ff" } else { "00" };
        let tag = first.to_owned() + &rest.repeat(15);
        vector(
            calls,
            "poly1305",
            arguments,
            &[(KEY, &key), (MESSAGE, &message)],
            &tag,
        );
    }

    // The check value of CRC-32/ISO-HDLC in Greg Cook's catalogue.
    calls.write(MESSAGE, b"123456789");
    calls.returns("crc32", args![0, MESSAGE, 9], 0xcbf4_3926u32);
    std::mem::replace(calls, Calls::new("crypto", target)).run()
}

#[test]
fn published_vectors() {
    for target in [Target::Native, Target::Machine] {
        published(target);
    }
}

/// HKDF derives at most 255 blocks.
#[test]
fn too_many_bytes_are_refused() {
    let mut calls = Calls::new("crypto", Target::Native);
    calls.returns("hkdf_expand", args![KEY, MESSAGE, 10, OUT, 8161], 0);
    calls.reads(OUT, &[0; 64]);
    calls.returns("hkdf_expand", args![KEY, MESSAGE, 10, OUT, 8160], 1);
    calls.run();
}
