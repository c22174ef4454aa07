"""Which encoding is suggested for a text that is not utf-8."""

import pytest

from shakegen.text.reading.decoding import suggest_encoding

FRENCH = """Il était une fois une petite fille de village, la plus jolie qu'on eût su voir : sa mère en était folle, et
sa mère-grand plus folle encore. Cette bonne femme lui fit faire un petit chaperon rouge"""
GERMAN = """Es war einmal ein Müller, der war arm, aber er hatte eine schöne Tochter. Nun traf es sich, dass er mit dem
König zu sprechen kam"""
SPANISH = """No ha mucho tiempo que vivía un hidalgo de los de lanza en astillero, adarga antigua, rocín flaco y galgo
corredor. Una olla de algo más vaca que carnero, salpicón las más noches"""
POLISH = """Litwo! Ojczyzno moja! ty jesteś jak zdrowie. Ile cię trzeba cenić, ten tylko się dowie, kto cię stracił.
Dziś piękność twą w całej ozdobie widzę i opisuję"""
RUSSIAN = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему."
USUAL = {FRENCH: "cp1252", GERMAN: "cp1252", SPANISH: "cp1252", POLISH: "cp1250", RUSSIAN: "cp1251"}


@pytest.mark.parametrize(("text", "encoding"), USUAL.items(), ids=["French", "German", "Spanish", "Polish", "Russian"])
def test_the_usual_encoding_of_a_language_is_suggested(text, encoding):
    assert suggest_encoding(text.encode(encoding), 0).startswith(f"try `encoding='{encoding}'`, in which there is ")
