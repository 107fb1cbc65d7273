#!/usr/bin/env python3
"""Draws icon.png and logo.png at the top of the repository. Needs Pillow."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

TOP = Path(__file__).parents[1]
BLUE, WHITE = (24, 92, 148), (255, 255, 255)
BARS = (0.22, 0.46, 0.78, 1.0, 0.64, 0.36, 0.2)
"""Heights of a spoken word."""
FINER = 4
"""Drawn so much larger, for smooth edges."""


def mark(side: int) -> Image.Image:
    """The bars of a spoken word on a round square."""
    size = side * FINER
    image = Image.new("RGBA", (size, size))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, size - 1, size - 1), radius=size // 5, fill=BLUE)
    step, width = size * 0.76 / len(BARS), size * 0.062
    for place, height in enumerate(BARS):
        middle, half = size * 0.12 + step * (place + 0.5), size * 0.3 * height
        box = (middle - width / 2, size / 2 - half, middle + width / 2, size / 2 + half)
        draw.rounded_rectangle(box, radius=width / 2, fill=WHITE)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def logo() -> Image.Image:
    image = Image.new("RGBA", (250, 100))
    image.paste(mark(72), (4, 14))
    draw = ImageDraw.Draw(image)
    draw.text((90, 50), "Irene\nWyoming", fill=BLUE, font=ImageFont.load_default(32), anchor="lm", spacing=2)
    return image


if __name__ == "__main__":
    for name, image in (("icon", mark(128)), ("logo", logo())):
        image.quantize(64).save(TOP / f"{name}.png", optimize=True)
