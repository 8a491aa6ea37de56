"""Repacks dictionaries that analyzers use into src/text/data. Run with the packages of packages/text_data.txt.

jieba (MIT): words with counts, and the hidden Markov model of unknown words. stopwordsiso (MIT): stop words of languages
other than English, whose list is the 33 words of Lucene.
"""
import os
import struct
import sys

OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src", "text", "data")
ENGLISH = ("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
           "to was will with").split()
LANGUAGES = {"arabic": "ar", "chinese": "zh", "danish": "da", "dutch": "nl", "finnish": "fi", "french": "fr", "german": "de",
             "hungarian": "hu", "italian": "it", "norwegian": "no", "portuguese": "pt", "russian": "ru", "spanish": "es",
             "swedish": "sv", "thai": "th"}


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def words(path):
    counts = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            word, count = line.split(" ")[:2]
            counts[word.encode()] = int(count)
    out, before = bytearray(), b""
    for word in sorted(counts):
        shared = len(os.path.commonprefix([before, word]))
        rest = word[shared:]
        out += bytes([shared, len(rest)]) + rest + varint(counts[word])
        before = word
    return bytes(out), len(counts)


NEVER = -3.14e30


def model(finalseg):
    start, step, emit = finalseg.start_P, finalseg.trans_P, finalseg.emit_P
    states = "BEMS"
    out = struct.pack("<4f", *(max(start[s], NEVER) for s in states))
    for a in states:
        out += struct.pack("<4f", *(step[a].get(b, NEVER) for b in states))
    for s in states:
        out += struct.pack("<I", len(emit[s]))
        for character in sorted(emit[s]):
            out += struct.pack("<If", ord(character), max(emit[s][character], NEVER))
    return out


def stop_words():
    import stopwordsiso
    lines = ["# Written by scripts/pack_text_data.py.", "_english_", *ENGLISH]
    for name, code in sorted(LANGUAGES.items()):
        lines += [f"_{name}_", *sorted(word for word in stopwordsiso.stopwords(code) if not word.startswith(("_", "#")))]
    return "\n".join(lines) + "\n"


def main():
    import jieba
    from jieba import finalseg
    os.makedirs(OUT, exist_ok=True)
    packed, count = words(os.path.join(os.path.dirname(jieba.__file__), "dict.txt"))
    with open(os.path.join(OUT, "jieba.words"), "wb") as out:
        out.write(packed)
    with open(os.path.join(OUT, "jieba.model"), "wb") as out:
        out.write(model(finalseg))
    with open(os.path.join(OUT, "stop_words.txt"), "w", encoding="utf-8") as out:
        out.write(stop_words())
    print(f"{count} words, {len(packed)} bytes")


if __name__ == "__main__":
    sys.exit(main())
