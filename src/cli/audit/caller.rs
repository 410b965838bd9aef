//! Who runs a command, as the record names them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// `local:` and the name of the user of the process, or its number where the
/// system does not tell. A variable of the environment could say anything.
pub(super) fn caller() -> String {
    let user = fs::metadata("/proc/self").map(|process| process.uid());
    let Ok(user) = user else { return "local:unknown".to_owned() };
    let names = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = names.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then(|| name.to_owned())
    });
    format!("local:{}", name.unwrap_or_else(|| user.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_is_a_user_of_this_machine() {
        let caller = caller();
        assert!(caller.starts_with("local:") && caller.len() > 6 && caller != "local:unknown", "{caller}");
    }
}
