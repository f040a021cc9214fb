"""Fifty tools as the agent makes them, and for each a need in words the tool does not use."""

from __future__ import annotations

NEEDS = """
count_words(text: str) -> result: int | Count the words of a text | how long is this essay, not in letters
days_between_dates(first: str, second: str) -> days: int | Number of days between two ISO dates | how much time passed from 3 March to 9 June
greatest_common_divisor(a: int, b: int) -> divisor: int | Greatest common divisor of two integers | the largest number that goes into both 84 and 36
reverse_string(text: str) -> result: str | Reverse the characters of a string | write hello backwards
roman_to_integer(numeral: str) -> number: int | Convert a Roman numeral to an integer | what year does MCMXCIV stand for
edit_distance(a: str, b: str) -> distance: int | Levenshtein distance between two strings | how many typos separate kitten from sitting
haversine_distance(lat1: float, lon1: float, lat2: float, lon2: float) -> km: float | Great-circle distance between two points given by latitude and longitude | how far is it by plane from Paris to Tokyo
compound_interest(principal: float, rate: float, years: int) -> amount: float | Amount after interest is compounded yearly | what will my savings be worth in ten years at 4 percent
luhn_check_digit(digits: str) -> digit: int | Check digit by the Luhn algorithm | which last figure makes this credit card valid
convert_base(number: str, from_base: int, to_base: int) -> result: str | Convert a number from one base to another | write decimal 255 in hexadecimal
sha256_hash(text: str) -> digest: str | SHA-256 digest of a text in hex | fingerprint of this message
is_leap_year(year: int) -> leap: bool | Whether a year is a leap year | does 2100 have a 29th of February
weekday_of_date(date: str) -> weekday: str | Name of the weekday of a date | was the moon landing on a Sunday
celsius_to_fahrenheit(celsius: float) -> fahrenheit: float | Convert degrees Celsius to Fahrenheit | how hot is 30 C for an American
body_mass_index(weight: float, height: float) -> index: float | Body mass index from weight in kg and height in m | am I too heavy for my size
median_of_list(values: list[float]) -> median: float | Median of a list of numbers | the middle value of these salaries
standard_deviation(values: list[float]) -> deviation: float | Standard deviation of a list of numbers | how much do these measurements spread
prime_factors(number: int) -> factors: list[int] | Prime factorisation of an integer | break 360 into its indivisible parts
is_palindrome(text: str) -> result: bool | Whether a text reads the same forwards and backwards | does 'never odd or even' work in both directions
are_anagrams(a: str, b: str) -> result: bool | Whether two words are anagrams | can listen be rearranged to silent
caesar_cipher(text: str, shift: int) -> result: str | Shift each letter of a text by a number of places | decode this secret message moved by three in the alphabet
morse_encode(text: str) -> code: str | Encode a text in Morse code | SOS in dots and dashes
network_of_address(address: str, prefix: int) -> network: str | Network address of an IPv4 address and prefix length | which subnet does 10.1.2.3/22 belong to
usable_hosts(prefix: int) -> hosts: int | Number of usable hosts in an IPv4 network | how many computers fit in a /26
extract_emails(text: str) -> emails: list[str] | Find all e-mail addresses in a text | whom can I write to, according to this page
extract_urls(text: str) -> urls: list[str] | Find all web addresses in a text | list the links mentioned in this message
most_common_letters(text: str, count: int) -> letters: list[str] | The most frequent letters of a text | which characters turn up again and again here
run_length_encode(text: str) -> code: str | Run-length encode a string | shorten aaabbc to 3a2b1c
sum_csv_column(table: str, column: str) -> total: float | Sum of a column of CSV text | add up all prices of this spreadsheet
json_to_csv(text: str) -> table: str | Convert a JSON list of objects to CSV | I need these records for Excel
moving_average(values: list[float], window: int) -> averages: list[float] | Moving average over a window | smooth out this noisy series
linear_regression(x: list[float], y: list[float]) -> slope: float | Slope of the least-squares line through points | how steeply do sales grow with price
monthly_payment(loan: float, rate: float, months: int) -> payment: float | Monthly payment of an annuity loan | what does a 200000 mortgage cost me every month
currency_convert(amount: float, rate: float) -> result: float | Convert an amount of money at an exchange rate | how many euros do I get for 50 dollars
time_zone_convert(time: str, source: str, target: str) -> result: str | Convert a time from one time zone to another | when it is noon in New York, what does a clock in Berlin show
triangle_area(a: float, b: float, c: float) -> area: float | Area of a triangle from its three sides by Heron | how big is a plot of land with edges of 5, 6 and 7 m
solve_quadratic(a: float, b: float, c: float) -> roots: list[float] | Real roots of a quadratic equation | where does the parabola cross the x axis
matrix_determinant(rows: list[str]) -> determinant: float | Determinant of a square matrix | can this system of equations be inverted
fibonacci_number(n: int) -> value: int | The n-th Fibonacci number | how many rabbit pairs after 20 generations
number_to_words(number: int) -> words: str | Write an integer in English words | how do I spell out 1234 on a cheque
title_case(text: str) -> result: str | Capitalise the first letter of each word | format this as a headline
remove_duplicates(items: list[str]) -> result: list[str] | Remove repeated items from a list and keep the order | I invited some people twice, clean up the guests
sort_by_length(items: list[str]) -> result: list[str] | Sort strings by their length | put the shortest names first
easter_date(year: int) -> date: str | Date of Easter Sunday in a year | when do we hunt for eggs in 2031
moon_phase(date: str) -> phase: str | Phase of the moon on a date | will it be a dark night on 5 May
isbn13_valid(isbn: str) -> valid: bool | Whether an ISBN-13 has the right check digit | is this book number mistyped
password_entropy(password: str) -> bits: float | Entropy of a password in bits | how hard is it to guess my login secret
rgb_to_hex(red: int, green: int, blue: int) -> code: str | Convert an RGB colour to a hexadecimal code | the web notation for pure orange
calories_burned(weight: float, minutes: float, met: float) -> kcal: float | Energy used by a physical activity | does an hour of jogging make up for a chocolate bar
reading_time(text: str, speed: int) -> minutes: float | Minutes it takes to read a text | will I finish this article on a short train ride
"""  # noqa: E501


def needs() -> list[tuple[str, str, str, str]]:
    """(name, description, signature, need) of each."""
    found = []
    for line in NEEDS.strip().splitlines():
        signature, description, need = (part.strip() for part in line.split(" | "))
        found.append((signature.partition("(")[0], description, signature, need))
    return found
