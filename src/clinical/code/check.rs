//! Check digits.

/// The digit permutation of Verhoeff's scheme; place `n` applies it `n` times.
const VERHOEFF_STEP: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// Whether the last of some ASCII digits is their Verhoeff check digit, as SNOMED CT uses it.
pub(super) fn verhoeff(digits: &str) -> bool {
    let mut sum = 0;
    for (place, digit) in digits.bytes().rev().enumerate() {
        let mut digit = digit.wrapping_sub(b'0');
        for _ in 0..place % 8 {
            digit = VERHOEFF_STEP.get(usize::from(digit)).copied().unwrap_or_default();
        }
        sum = dihedral(sum, digit);
    }
    sum == 0
}

/// The product in the dihedral group of order 10: 0 to 4 are rotations, 5 to 9 reflections.
fn dihedral(left: u8, right: u8) -> u8 {
    let (reflected_left, reflected_right) = (left >= 5, right >= 5);
    let turn = if reflected_left { left + 10 - right } else { left + right } % 5;
    if reflected_left == reflected_right { turn } else { turn + 5 }
}

/// Whether `check` is the mod-10 (Luhn) check digit of some ASCII digits, as LOINC uses it.
pub(super) fn luhn(digits: &str, check: u8) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            if place % 2 == 1 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    (sum + u32::from(check.wrapping_sub(b'0'))).is_multiple_of(10)
}
