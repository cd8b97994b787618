//! Numbers that do not count.

/// Appends a folded line to `out` with each run of digits of ASCII as one `0`.
pub(crate) fn mask_digits(folded: &[u8], out: &mut Vec<u8>) {
    let mut rest = folded;
    while let Some(start) = rest.iter().position(u8::is_ascii_digit) {
        out.extend_from_slice(&rest[..start]);
        out.push(b'0');
        let end = rest[start..].iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len() - start);
        rest = &rest[start + end..];
    }
    out.extend_from_slice(rest);
}
