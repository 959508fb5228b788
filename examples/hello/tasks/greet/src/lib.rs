//! Greets somebody.

use hotcell::Problem;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Guest {
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    greeting: String,
}

#[hotcell::task]
fn greet(guest: Guest) -> Result<Greeting, Problem> {
    if guest.name.trim().is_empty() {
        return Err(Problem::validation("a guest needs a name"));
    }
    hotcell::info(format_args!("{} is here", guest.name));
    Ok(Greeting { greeting: format!("Hello {}!", guest.name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_are_greeted_by_name() {
        assert_eq!(greet(Guest { name: "Ada".to_owned() }).unwrap().greeting, "Hello Ada!");
    }

    #[test]
    fn nobody_is_not_greeted() {
        assert_eq!(greet(Guest { name: " ".to_owned() }).err().and_then(|problem| problem.status), Some(400));
    }
}
