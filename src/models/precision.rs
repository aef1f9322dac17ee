//! Number formats of weights and caches.

use std::fmt;
use std::str::FromStr;

/// A number format. Quantised ones include the scales of their blocks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Precision {
    /// 16 bits: bf16, or fp16, which costs the same.
    Bf16,
    /// 8 bits, one scale a tensor, channel or large block.
    Fp8,
    /// 4 bits, an 8-bit scale for every 16 elements (NVFP4).
    Fp4,
    /// 4 bits, an 8-bit scale for every 32 elements (OCP Microscaling, MXFP4).
    Mxfp4,
}

impl Precision {
    /// Bytes an element takes, its share of the scale included.
    pub const fn bytes(self) -> f64 {
        match self {
            Precision::Bf16 => 2.0,
            Precision::Fp8 => 1.0,
            Precision::Fp4 => 0.5625,
            Precision::Mxfp4 => 0.53125,
        }
    }

    /// 4 bits an element, whatever the scales.
    pub const fn is_four_bit(self) -> bool {
        matches!(self, Precision::Fp4 | Precision::Mxfp4)
    }

    /// As a user writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::Bf16 => "bf16",
            Precision::Fp8 => "fp8",
            Precision::Fp4 => "fp4",
            Precision::Mxfp4 => "mxfp4",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "bf16" | "bfloat16" | "fp16" | "float16" | "half" => Ok(Precision::Bf16),
            "fp8" | "float8" | "fp8_block" => Ok(Precision::Fp8),
            "fp4" | "nvfp4" => Ok(Precision::Fp4),
            "mxfp4" => Ok(Precision::Mxfp4),
            _ => Err(format!("`{text}` is no precision; expected bf16, fp8, fp4 or mxfp4")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_bit_formats_pay_for_their_scales() {
        assert_eq!(Precision::Fp4.bytes() * 16.0, 9.0);
        assert_eq!(Precision::Mxfp4.bytes() * 32.0, 17.0);
    }

    #[test]
    fn common_spellings_are_read_and_others_refused_with_what_is_accepted() {
        assert_eq!("NVFP4".parse(), Ok(Precision::Fp4));
        assert_eq!("float16".parse(), Ok(Precision::Bf16));
        assert!("int3".parse::<Precision>().unwrap_err().contains("expected bf16"));
    }
}
