"""A stand-in for arecord, run as a program: RATE FRAME_BYTES BLOCK_FRAMES REPORT.

It writes blocks like a sound card, each when its last frame is captured. A block's first 8 bytes are that time, in
nanoseconds of the monotonic clock. It adds its process id to the file REPORT.
"""

import os
import sys
import time


def main() -> None:
    rate, frame_bytes, frames = map(int, sys.argv[1:4])
    with open(sys.argv[4], "a", encoding="ascii") as report:
        report.write(f"{os.getpid()} ")
    begin, block = time.monotonic(), 0
    while True:
        block += 1
        time.sleep(max(0, begin + block * frames / rate - time.monotonic()))
        stamp = time.monotonic_ns().to_bytes(8, "little")
        os.write(1, stamp + bytes([block % 251]) * (frames * frame_bytes - 8))


if __name__ == "__main__":
    main()
