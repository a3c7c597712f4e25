"""Makes the two fonts of this folder from IBM Plex Sans; see README.md.

usage: python3 fonts/make.py <folder of the unpacked npm package @ibm/plex-sans 1.1.0>

The same input and the pinned fonttools give the same bytes.
"""

import pathlib
import sys

import fontTools
from fontTools import subset
from fontTools.ttLib import TTFont

FONTTOOLS_VERSION = "4.68.0"

# "Plex" is a Reserved Font Name: section 3 of the OFL forbids it to modified fonts.
FAMILY = "Rechnung Sans"

WEIGHTS = {"Regular": 400, "SemiBold": 600}

# Kerning, accents on their letters, and the ligature fi. Fractions,
# old-style figures, alternates and localised forms are left out: an invoice is
# set in one way only.
FEATURES = ["ccmp", "kern", "liga", "mark"]

CONTROLS = range(0x00, 0x20)
PRIVATE_USE = range(0xE000, 0xF900)
# A replacement character means that text was damaged before it came to us.
REPLACEMENT_CHARACTER = 0xFFFD
FIGURES = range(ord("0"), ord("9") + 1)
FIGURE_WIDTH = 600


def kept(code_point):
    return (
        code_point not in CONTROLS
        and code_point not in PRIVATE_USE
        and code_point != REPLACEMENT_CHARACTER
    )


def make(package, folder, weight):
    source = package / "fonts/complete/woff2" / f"IBMPlexSans-{weight}.woff2"
    font = TTFont(source, recalcTimestamp=False)
    options = subset.Options()
    options.layout_features = FEATURES
    options.hinting = False
    options.notdef_outline = True
    options.glyph_names = False
    options.name_IDs = [0, 5, 13, 14]
    options.drop_tables += ["gasp"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=filter(kept, font.getBestCmap()))
    subsetter.subset(font)

    names = font["name"]
    for name_id, text in {
        1: FAMILY if weight == "Regular" else f"{FAMILY} {weight}",
        2: "Regular",
        3: f"{FAMILY} {weight}, from IBM Plex Sans 3.005",
        4: f"{FAMILY} {weight}",
        6: f"{FAMILY.replace(' ', '')}-{weight}",
        16: FAMILY,
        17: weight,
    }.items():
        names.setName(text, name_id, 3, 1, 0x409)
    assert font["OS/2"].usWeightClass == WEIGHTS[weight]
    for figure in FIGURES:
        glyph = font.getBestCmap()[figure]
        assert font["hmtx"][glyph][0] == FIGURE_WIDTH, "figures must be tabular"

    font.flavor = None
    target = folder / f"{FAMILY.replace(' ', '')}-{weight}.ttf"
    font.save(target)
    print(f"{target.name}: {target.stat().st_size} bytes, {len(font.getBestCmap())} characters, {font['maxp'].numGlyphs} glyphs")


if len(sys.argv) != 2:
    sys.exit(__doc__)
if fontTools.version != FONTTOOLS_VERSION:
    sys.exit(f"fonttools is {fontTools.version}; the bytes depend on it: pip install fonttools=={FONTTOOLS_VERSION} brotli")
for weight in WEIGHTS:
    make(pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent, weight)
