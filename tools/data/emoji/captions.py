"""Captions: several for each drawing, from its label, keywords, short codes and style."""

import re
import unicodedata

from .catalogue import Emoji, slug

_PLURAL = re.compile(r"(?:[^s]s|men|women|people|children|feet|teeth)$")
_SINGULAR_IN_S = re.compile(r"(?:ss|us|is|as|gas|lens|bus|cactus|compass|tennis|atlas|octopus|walrus|hibiscus|lotus|chess|press|canvas|christmas|mahjong)$")
_NO_ARTICLE = re.compile(
    r"^(?:women|men|people|luggage|foggy|cooked rice|rice|bread|cheese wedge|bacon|butter|salt|sushi|sake|money with wings|wood|thread|yarn|"
    r"hundred points|fog|rain|snow|tennis|golf|basketball hoop|sparkles|spaghetti|honey pot|wind face)\b")
_DETERMINED = re.compile(r"^(a|an|the|no|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d)\b")
_VOWEL_SOUND = re.compile(r"^(?:[aeio]|u(?!ni|s|r[aio]|k)|hour)")
_ZODIAC = ("aries", "taurus", "gemini", "cancer", "leo", "virgo", "libra", "scorpio", "sagittarius", "capricorn", "aquarius", "pisces", "ophiuchus")
_PREFIXES = {"flag: ": "the flag of ", "keycap: ": "a keycap ", "family: ": "a family of "}


def noun_phrase(label: str) -> str:
    """'red heart' -> 'a red heart', 'flag: France' -> 'the flag of France', 'x: dark skin tone' -> 'a x with dark skin tone'."""
    phrase = label.strip()
    for prefix, words in _PREFIXES.items():
        if phrase.lower().startswith(prefix):
            return words + phrase[len(prefix):]
    if ": " in phrase:
        head, tail = phrase.split(": ", 1)
        phrase = f"{head} with {tail.replace(', ', ' and ')}"
    lower = phrase.lower()
    if lower in _ZODIAC:
        return f"the {phrase} zodiac sign"
    noun = (lower.split(" with ")[0].split(", ")[0].split() or [""])[-1]
    plural = _PLURAL.search(noun) and not _SINGULAR_IN_S.search(noun)
    if plural or _DETERMINED.match(lower) or _NO_ARTICLE.match(lower):
        return phrase
    return f"{'an' if _VOWEL_SOUND.match(lower) else 'a'} {phrase}"


def captions(emoji: Emoji, style: str, other_labels: tuple[str, ...] = ()) -> list[str]:
    """Distinct captions, the plainest first. `style`: the style's phrase; `other_labels`: more names of the same picture."""
    noun = noun_phrase(emoji.label)
    name = emoji.label.split(":")[0].lower()
    words = [tag for tag in emoji.tags if tag.lower() not in name and len(tag) > 2][:6]
    found = [
        f"{noun}, {style} style",
        f"a {style} emoji of {noun}",
        f"{style} style {emoji.label.replace(': ', ' ')}",
        f"{noun} drawn in {style} style on a white background",
        f"an emoji showing {noun}, {style} style",
        noun,
    ]
    if len(words) >= 2:
        found.append(f"{noun}, {words[0]}, {words[1]}, {style} style")
    if len(words) >= 4:
        found.append(f"{noun}, {words[2]}, {words[3]}, {style} style")
    if len(words) >= 3:
        found.append(f"{style} emoji: {', '.join(words[:5])}")
    if "skin tone" not in emoji.label:
        found += [f"{code}, {style} style" for code in _spoken_shortcodes(emoji)]
    found += [f"{noun_phrase(label)}, {style} style" for label in other_labels if label != emoji.label]
    return list(dict.fromkeys(map(_clean, found)))


def _spoken_shortcodes(emoji: Emoji, most: int = 3) -> list[str]:
    """Short codes that read as words and are not the label again."""
    seen, spoken = {slug(emoji.label)}, []
    for code in emoji.shortcodes:
        words = code.replace("_", " ").strip()
        if slug(words) not in seen and re.fullmatch(r"[a-z][a-z ]{3,}", words):
            seen.add(slug(words))
            spoken.append(words)
    return spoken[:most]


def _clean(caption: str) -> str:
    for quote, plain in (("“", '"'), ("”", '"'), ("’", "'")):
        caption = caption.replace(quote, plain)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", caption)).strip()
