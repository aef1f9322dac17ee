//! Decimal numbers read to the last digit, without a detour over floating point.

/// A number ≥ 0 as it is written: `1`, `1.50`, `.5`, `2.5e-3`.
pub(super) struct Decimal<'a> {
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

impl<'a> Decimal<'a> {
    /// None for what is no number, or below zero.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let decimal = Decimal { whole, fraction, exponent };
        let digits_only = mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let valid = digits_only && !fraction.contains('.') && !(whole.is_empty() && fraction.is_empty());
        (valid && (!negative || decimal.is_zero())).then_some(decimal)
    }

    /// The number · 10^power, rounded to the nearest integer; none if that needs more than 64 bits.
    pub(super) fn scaled(&self, power: i32) -> Option<u64> {
        let (integer, mut rest) = self.split(power)?;
        let round_up = rest.next().is_some_and(|digit| digit >= 5);
        integer.checked_add(u64::from(round_up))
    }

    /// The number if it is an integer of at most 64 bits.
    pub(super) fn integer(&self) -> Option<u64> {
        let (integer, mut rest) = self.split(0)?;
        rest.all(|digit| digit == 0).then_some(integer)
    }

    /// The integer part of the number · 10^power and the digits after its point.
    fn split(&self, power: i32) -> Option<(u64, impl Iterator<Item = u8>)> {
        let before_point = self.whole.len() as i64 + i64::from(self.exponent) + i64::from(power);
        let mut digits = self.digits();
        let mut integer = 0u64;
        // Ends soon, however far the point: a number that is not zero overflows, and zero has no digits to move.
        for _ in 0..if self.is_zero() { 0 } else { before_point } {
            let digit = digits.next().unwrap_or(0);
            integer = integer.checked_mul(10)?.checked_add(u64::from(digit))?;
        }
        // Below 0.1 the point is followed by a zero that is not written.
        let unwritten = std::iter::repeat_n(0, usize::from(before_point < 0));
        Some((integer, unwritten.chain(digits)))
    }

    fn is_zero(&self) -> bool {
        self.digits().all(|digit| digit == 0)
    }

    /// Those of a valid number; of anything else, whatever is not 0.
    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes()).map(|byte| byte.wrapping_sub(b'0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nanos(text: &str) -> Option<u64> {
        Decimal::parse(text)?.scaled(9)
    }

    #[test]
    fn seconds_become_nanoseconds_exactly() {
        for (text, expected) in [
            ("0", 0),
            ("-0.0", 0),
            ("1", 1_000_000_000),
            (".5", 500_000_000),
            ("1.", 1_000_000_000),
            ("+1.0963134765625", 1_096_313_477),
            ("604800.123456789", 604_800_123_456_789),
            ("9007199.254740993", 9_007_199_254_740_993),
            ("1.5e-3", 1_500_000),
            ("2E2", 200_000_000_000),
            ("0.0000000004999", 0),
            ("0.0000000005", 1),
            ("5e-11", 0),
            ("0e999999999", 0),
        ] {
            assert_eq!(nanos(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "-", "+", ".", "-1", "-1e-30", "nan", "inf", "1e", "1e999", "1.2.3", "1 2", "0x1", "²"]
        {
            assert_eq!(nanos(text), None, "{text}");
        }
    }

    #[test]
    fn an_integer_may_be_written_as_a_float() {
        let integer = |text| Decimal::parse(text).and_then(|decimal| decimal.integer());
        assert_eq!(integer("2.0"), Some(2));
        assert_eq!(integer("1e3"), Some(1000));
        assert_eq!(integer("18446744073709551615"), Some(u64::MAX));
        for text in ["2.5", "18446744073709551616", "1e-1", "0.01"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = nanos(&text);
        }

        #[test]
        fn a_printed_nanosecond_is_read_back(nanos_in: u64) {
            let text = format!("{}.{:09}", nanos_in / 1_000_000_000, nanos_in % 1_000_000_000);
            prop_assert_eq!(nanos(&text), Some(nanos_in));
        }
    }
}
