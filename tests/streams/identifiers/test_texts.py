"""Texts lose what names a person, and keep what only looks like it."""

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import iban, luhn

from streams.identifiers.numbers import NATIONAL
from streams.identifiers.texts import Texts, is_phone, usual

TEXTS = Texts(usual())
LOCAL = Texts(usual(["DE", "US"]))

WORDS = st.text("abcdefghijklmnopqrstuvwxyzäß ,;!?", max_size=12)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMES = st.text(LETTERS, min_size=2, max_size=10)
ADDRESSES = st.builds("{}.{}@{}.{}".format, NAMES, NAMES, NAMES, st.sampled_from(["org", "co.uk", "ünal.de", "museum"]))
PHONES = st.builds(
    lambda region, form: phonenumbers.format_number(phonenumbers.example_number(region), form),
    st.sampled_from(["DE", "US", "GB", "FR", "IN", "BR", "JP", "PL"]),
    st.sampled_from([phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL]),
)
CARDS = st.builds(
    lambda begin, digits, gap: gap.join(
        (begin + digits)[:15][at : at + 4] + (luhn.calc_check_digit((begin + digits)[:15]) if at == 12 else "")
        for at in (0, 4, 8, 12)
    ),
    st.sampled_from(["4", "51", "2221", "6011", "3528"]),
    st.text("0123456789", min_size=15, max_size=15),
    st.sampled_from(["", " ", "-"]),
)
ACCOUNTS = st.builds(
    lambda digits: iban.compact(f"DE{iban.calc_check_digits('DE00' + digits)}{digits}"),
    st.text("0123456789", min_size=18, max_size=18),
)
EXAMPLES = {
    "US_SSN": "536-90-4399", "UK_NHS": "943 476 5919", "ES_NIF": "12345678Z", "ES_NIE": "X2482300W",
    "IT_FISCAL_CODE": "RCCMNL83S18D969H", "FI_PERSONAL_IDENTITY_CODE": "131052-308T", "DE_TAX_ID": "36 574 261 809",
    "FR_NIR": "2 95 10 99 126 111 93", "SE_PERSONNUMMER": "880320-0016", "BE_NATIONAL_NUMBER": "85.07.30-033.28",
    "CH_AHV": "756.9217.0769.85", "CZ_BIRTH_NUMBER": "710319/2745", "BR_CPF": "390.533.447-05",
    "MX_CURP": "BOXW310820HNERXN09", "IN_AADHAAR": "2341 2341 2346", "KR_RRN": "971013-9019902",
    "CN_RESIDENT_ID": "360426199101010071", "CA_SIN": "123-456-782",
}  # fmt: skip


@given(WORDS, st.one_of(ADDRESSES, PHONES, CARDS, ACCOUNTS), WORDS)
def test_what_names_a_person_is_gone_wherever_it_stands(before, identifier, after):
    """The kind stands in its place, the words around it stay, and a second look finds nothing."""
    masked, kinds = TEXTS.masked(f"{before} {identifier} {after}")
    assert kinds
    assert identifier not in masked
    assert masked == f"{before} <{kinds[0][0]}> {after}"
    assert TEXTS.masked(masked) == (masked, ())


@pytest.mark.parametrize(("kind", "text"), EXAMPLES.items())
def test_national_numbers_are_known_by_their_writing_and_check_digits(kind, text):
    """Each of the table has an example that is masked, and with another last digit or letter it is none of its kind."""
    assert TEXTS.masked(f"who is {text}, please") == (f"who is <{kind}>, please", ((kind, 1),))
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B" if text[-1].isalpha() else "")
    assert kind not in TEXTS.masked(f"who is {wrong}, please")[0]
    assert {each for each, _, _ in NATIONAL} == set(EXAMPLES)


@given(
    st.one_of(
        st.uuids().map(str),
        st.uuids().map(lambda each: each.hex),
        st.binary(min_size=8, max_size=32).map(bytes.hex),
        st.integers(1_577_836_800, 2_000_000_000).map(str),
        st.integers(1_577_836_800_000, 1_999_999_999_999).map(str),
        st.integers(1_577_836_800_000_000_000, 1_999_999_999_999_999_999).map(str),
        st.floats(allow_nan=False, allow_infinity=False).map(repr),
        st.datetimes().map(lambda each: each.isoformat()),
        st.integers(0, 10**11).map("order {}".format),
        st.integers(0, 10**18).map("req_{}".format),
        st.builds("v{}.{}.{}".format, st.integers(0, 30), st.integers(0, 99), st.integers(0, 999)),
    ),
    WORDS,
)
def test_ids_times_and_measures_stay(number, words):
    """Ids in hexadecimal, traces, times of any unit, floats, orders and versions are no identifiers of persons."""
    assume(not (number.isdigit() and len(number) == 16))  # bytes that are all digits may be a card by every mark
    text = f"{words} {number} failed: trace={number}"
    assert TEXTS.masked(text) == (text, ())


@given(st.text(max_size=300))
def test_any_text_comes_out_the_same_twice_and_no_longer_than_its_field(text):
    """Masking is a function of the text, has an end, and never makes a text too long for its field."""
    masked, kinds = Texts(usual()).masked(text)
    assert (masked, kinds) == TEXTS.masked(text)
    assert len(masked) <= max(len(text), 256)


def test_an_address_in_a_link_is_found_too():
    """Escaped for a link it is still an address."""
    assert TEXTS.masked("GET /u?mail=kim%40example.org&x=1")[0] == "GET /u?mail=<EMAIL_ADDRESS>&x=1"


def test_addresses_of_a_network_of_ones_own_stay():
    """Which server did not answer is known; from where in the internet somebody came is not."""
    text = "10.0.0.5:9092 refused, 127.0.0.1 too, nginx/1.25.3.1 for"
    assert TEXTS.masked(f"{text} 8.8.8.8 and 2001:4860:4860::8888")[0] == f"{text} <IP_ADDRESS> and <IP_ADDRESS>"


def test_numbers_of_named_countries_are_found_without_their_code():
    """Only where the settings name the country: elsewhere the same digits may be anything."""
    assert LOCAL.masked("call (212) 456-1234")[0] == "call <PHONE_NUMBER>"
    assert TEXTS.masked("call (212) 456-1234")[0] == "call (212) 456-1234"


@given(st.integers(0, 10**14).map(str))
def test_a_number_without_plus_is_no_telephone_number(value):
    """Ids of users are numbers often enough."""
    assert not is_phone(value)
