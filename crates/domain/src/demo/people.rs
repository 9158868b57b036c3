//! Names for the demo's patrons: common given and family names, put together by chance.

use super::chance::Chance;
use crate::patrons::patron::NewPatron;

const GIVEN: &[&str] = &[
    "Ada", "Amir", "Ana", "Bea", "Ben", "Carla", "Chidi", "Clara", "Dana", "Diego", "Elif", "Emil",
    "Eva", "Farid", "Finn", "Grace", "Hana", "Hugo", "Ida", "Ines", "Ivan", "Jana", "Jonas",
    "José", "Kai", "Lea", "Leo", "Lina", "Luca", "Mara", "Mei", "Mila", "Nadia", "Nils", "Noor",
    "Olga", "Omar", "Paula", "Priya", "Ravi", "Rosa", "Samir", "Sofia", "Tariq", "Tess", "Tomás",
    "Uma", "Vera", "Yara", "Zoë",
];
const FAMILY: &[&str] = &[
    "Adeyemi", "Ahmed", "Bauer", "Berg", "Brown", "Costa", "Diaz", "Eriksen", "Fischer", "García",
    "Gruber", "Haddad", "Hofer", "Ito", "Jansen", "Kaya", "Kim", "Kowalski", "Larsen", "Lopez",
    "Maier", "Mensah", "Moreau", "Müller", "Nguyen", "Novák", "O'Neill", "Okafor", "Patel",
    "Petrov", "Popescu", "Reyes", "Rossi", "Santos", "Sato", "Silva", "Singh", "Steiner", "Takács",
    "Weber", "Wong", "Yilmaz", "Young", "Zhang",
];

/// A patron; the number keeps addresses apart. A few have no address, as in every real list.
pub(super) fn patron(number: usize, chance: &mut Chance) -> NewPatron {
    let first_name = (*chance.one_of(GIVEN).unwrap_or(&"Ada")).to_owned();
    let last_name = (*chance.one_of(FAMILY).unwrap_or(&"Berg")).to_owned();
    let address = crate::text::fold(&format!("{first_name}.{last_name}"));
    let address: String = address
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '.')
        .collect();
    NewPatron {
        first_name,
        last_name,
        email: (chance.below(10) > 0).then(|| format!("{address}.{number}@example.org")),
        phone: (chance.below(3) == 0).then(|| format!("+1555010{number:04}")),
    }
}
