//! Finding patrons, and turning pages of them.

use serde_json::{Value, json};

use crate::harness::{App, Client, on_each_database};

on_each_database!(
    a_search_looks_past_case_and_accents,
    what_looks_like_a_wildcard_is_meant,
    a_search_has_bounds,
    pages_are_in_the_order_of_names,
    very_long_names_have_their_pages,
);

async fn found(client: &Client, search: &str) -> Vec<String> {
    let query = "query($search: String!) { patrons(first: 100, search: $search) { totalCount nodes { firstName } } }";
    let data = client.ok(query, json!({ "search": search })).await;
    let nodes = data["patrons"]["nodes"]
        .as_array()
        .expect("patrons")
        .clone();
    assert_eq!(data["patrons"]["totalCount"], nodes.len());
    let mut names: Vec<String> = nodes
        .iter()
        .map(|node| node["firstName"].as_str().expect("a name").to_owned())
        .collect();
    names.sort_unstable();
    names
}

async fn add(client: &Client, first: &str, last: &str, email: Value, phone: Value) {
    client
        .done(
            "createPatron",
            "__typename",
            json!({ "firstName": first, "lastName": last, "email": email, "phone": phone }),
        )
        .await;
}

async fn a_search_looks_past_case_and_accents(app: App) {
    let (owner, foreigner) = (app.owner("jazz").await, app.owner("chess").await);
    add(&foreigner, "Zoë", "Ñandú", Value::Null, Value::Null).await;
    add(
        &owner,
        "Zoë",
        "Ñandú",
        json!("zoe@birds.example"),
        json!("+43 1 234567"),
    )
    .await;
    add(
        &owner,
        "Åsa",
        "Öberg-Müller",
        Value::Null,
        json!("0664 98765"),
    )
    .await;
    add(&owner, "Οδυσσεύς", "Ithaki", Value::Null, Value::Null).await;
    for (search, expected) in [
        ("zoe", vec!["Zoë"]),
        ("ZOË", vec!["Zoë"]),
        ("Zoe\u{308}", vec!["Zoë"]),
        ("nand", vec!["Zoë"]),
        ("ÑANDÚ zoe", vec!["Zoë"]),
        ("oe du", vec!["Zoë"]),
        ("birds.ex", vec!["Zoë"]),
        ("234567", vec!["Zoë"]),
        ("+431", vec!["Zoë"]),
        ("0664", vec!["Åsa"]),
        ("muller asa", vec!["Åsa"]),
        ("öberg-", vec!["Åsa"]),
        ("ΟΔΥΣΣΕΥΣ", vec!["Οδυσσεύς"]),
        ("οδυσ", vec!["Οδυσσεύς"]),
        ("ΟΔΥΣ", vec!["Οδυσσεύς"]),
        ("zoe muller", vec![]),
        ("a", vec!["Zoë", "Åsa", "Οδυσσεύς"]),
        ("", vec!["Zoë", "Åsa", "Οδυσσεύς"]),
        ("  ", vec!["Zoë", "Åsa", "Οδυσσεύς"]),
    ] {
        assert_eq!(found(&owner, search).await, expected, "{search}");
    }
    app.stop().await;
}

async fn what_looks_like_a_wildcard_is_meant(app: App) {
    let owner = app.owner("jazz").await;
    for name in [
        "100%",
        "1000",
        "a_b",
        "axb",
        "c\\d",
        "cd",
        "bang!",
        "bang",
        "it's \"quoted\"",
    ] {
        add(&owner, name, "", Value::Null, Value::Null).await;
    }
    for (search, expected) in [
        ("%", vec!["100%"]),
        ("100%", vec!["100%"]),
        ("_", vec!["a_b"]),
        ("a_b", vec!["a_b"]),
        ("\\", vec!["c\\d"]),
        ("c\\d", vec!["c\\d"]),
        ("!", vec!["bang!"]),
        ("!%", vec![]),
        ("%%", vec![]),
        ("'s", vec!["it's \"quoted\""]),
        ("\"quoted\"", vec!["it's \"quoted\""]),
        ("'; --", vec![]),
    ] {
        assert_eq!(found(&owner, search).await, expected, "{search}");
    }
    app.stop().await;
}

async fn a_search_has_bounds(app: App) {
    let owner = app.owner("jazz").await;
    add(&owner, "Ada", "", Value::Null, Value::Null).await;
    assert_eq!(found(&owner, &"a ".repeat(100)).await, ["Ada"]);
    let query = "query($search: String!) { patrons(search: $search) { nodes { id } } }";
    for (search, code) in [
        ("a".repeat(201), "TOO_LONG"),
        ("\u{FDFA}".repeat(1 << 18), "TOO_LONG"),
        ("a\0".to_owned(), "INVALID"),
    ] {
        let answer = owner.send(query, json!({ "search": search })).await;
        assert_eq!(
            (answer.codes(), &answer.body["data"]),
            (vec![code.to_owned()], &Value::Null)
        );
    }
    app.stop().await;
}

async fn turn_pages(owner: &Client, size: i64, forward: bool) -> Vec<String> {
    let (count, cursor, end, more) = if forward {
        ("first", "after", "endCursor", "hasNextPage")
    } else {
        ("last", "before", "startCursor", "hasPreviousPage")
    };
    let query = "query($first: Int, $after: String, $last: Int, $before: String) { patrons(first: $first, after: $after, last: $last, before: $before) {
        nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let (mut seen, mut variables) = (Vec::new(), json!({ count: size }));
    loop {
        let page = owner.ok(query, variables.clone()).await["patrons"].clone();
        let names: Vec<String> = page["nodes"]
            .as_array()
            .expect("patrons")
            .iter()
            .map(|node| node["name"].as_str().expect("a name").to_owned())
            .collect();
        if forward {
            seen.extend(names);
        } else {
            seen.splice(0..0, names).for_each(drop);
        }
        variables[cursor] = page["pageInfo"][end].clone();
        if page["pageInfo"][more] == false {
            return seen;
        }
    }
}

async fn pages_are_in_the_order_of_names(app: App) {
    let owner = app.owner("jazz").await;
    for name in [
        "Bo Zander",
        "Änne Adler",
        "Zoë Adler",
        "Carl adler",
        "Émile Zola",
        "Ada",
        "Ada",
        "Ada",
    ] {
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        add(&owner, first, last, Value::Null, Value::Null).await;
    }
    let expected = [
        "Ada",
        "Ada",
        "Ada",
        "Änne Adler",
        "Carl adler",
        "Zoë Adler",
        "Bo Zander",
        "Émile Zola",
    ];
    for size in [1, 2, 3, 8, 100] {
        assert_eq!(turn_pages(&owner, size, true).await, expected);
        assert_eq!(turn_pages(&owner, size, false).await, expected);
    }
    app.stop().await;
}

/// Names in scripts whose letters take many bytes, more when they are taken apart, and different
/// enough that no index can press them together.
async fn very_long_names_have_their_pages(app: App) {
    let owner = app.owner("jazz").await;
    let name = |seed: u32, first: u32, count: u32| -> String {
        (0..200)
            .map(|index: u32| {
                char::from_u32(first + (seed * 7919 + index * 104_729 + index * index * 31) % count)
                    .expect("a letter")
            })
            .collect()
    };
    for (first, count) in [(0xAC00, 11_172), (0x4E00, 20_000), (0x20000, 42_000)] {
        for seed in 0..2 {
            add(
                &owner,
                &name(seed, first, count),
                &name(seed + 9, first, count),
                Value::Null,
                Value::Null,
            )
            .await;
        }
    }
    let (forward, backward) = (
        turn_pages(&owner, 1, true).await,
        turn_pages(&owner, 1, false).await,
    );
    assert_eq!((forward.len(), &forward), (6, &backward));
    app.stop().await;
}
