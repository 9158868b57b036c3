use api::http::{Credential, Service as _};
use api::guard;
use async_graphql::Request;
use domain::{Clock, Database, Db, identity::{Passwords, password::Profile}, live};
use futures_util::StreamExt;
fn cred(token: Option<&str>) -> Credential {
    Credential { bearer: token.map(str::to_owned), cookie: None, organization: None, address: "127.0.0.1".parse().unwrap(), user_agent: Some("try".into()), secure: true }
}
#[derive(Clone)]
struct C { s: api::Service, token: Option<String> }
impl C {
    async fn run(&self, q: &str) -> serde_json::Value {
        let op = match guard::admit(Request::new(q)) { Ok(o) => o, Err(e) => panic!("{e:?} {q}") };
        let r = self.s.execute(cred(self.token.as_deref()), op).await;
        if !r.http_headers.is_empty() { println!("HEADERS {:?}", r.http_headers); }
        serde_json::to_value(&r).unwrap()
    }
}
fn st(v: &serde_json::Value) -> u64 { v["extensions"]["cost"]["statements"].as_u64().unwrap_or(999) }
#[tokio::main]
async fn main() {
    let arg = std::env::args().nth(1);
    if arg.as_deref() == Some("sdl") { print!("{}", api::sdl()); return; }
    if arg.as_deref() == Some("errors") { print!("{}", api::error::catalogue()); return; }
    let dir = std::path::PathBuf::from("/tmp/gqltry/db"); let _ = std::fs::remove_dir_all(&dir); std::fs::create_dir_all(&dir).unwrap();
    let database = Database::Sqlite { path: dir.join("t.db") };
    println!("migrated {}", Db::migrate(&database).await.unwrap());
    let db = Db::open(&database, Clock::system()).await.unwrap();
    let hub = live::Hub::start(&db, Default::default());
    let s = api::Service::new(&db, Passwords::new(Profile::Standard).unwrap(), hub.clone());
    let anon = C { s: s.clone(), token: None };
    println!("{}", anon.run("{ viewer { user { id } } organization { id } }").await);
    println!("{}", anon.run("{ events { nodes { id } } }").await);
    println!("{}", anon.run(r#"mutation { signUp(input: {username: "x", email: "bad", password: "p", firstName: ""}) { token errors { __typename code message path } } }"#).await);
    let v = anon.run(r#"mutation { signUp(input: {username: "ana", email: "ana@example.org", password: "Passw0rdX", firstName: "Ana", organizationName: "Jazz Night"}) { token viewer { user { id username } organizations { role organization { id slug owner { username } } } permissions can(permission: "events:update") } errors { code message path } } }"#).await;
    println!("{v}");
    let token = v["data"]["signUp"]["token"].as_str().unwrap().to_owned();
    let c = C { s: s.clone(), token: Some(token) };
    let mut events = vec![]; let mut patrons = vec![];
    for i in 0..21 {
        let h = 10 + i % 10;
        let v = c.run(&format!(r#"mutation {{ createEvent(input: {{title: "E{i}", startsAt: "2026-11-20T{h}:00:00+02:00", endsAt: "2026-11-25T20:00:00Z", publish: true, attendancePoints: 60}}) {{ event {{ id status host {{ id }} }} errors {{ message path }} }} }}"#)).await;
        if i == 0 { println!("{v}"); }
        events.push(v["data"]["createEvent"]["event"]["id"].as_str().unwrap().to_owned());
    }
    for i in 0..5 {
        let v = c.run(&format!(r#"mutation {{ createPatron(input: {{firstName: "P{i}", lastName: "L"}}) {{ patron {{ id name points tier }} errors {{ message path }} }} }}"#)).await;
        if i == 0 { println!("{v}"); }
        patrons.push(v["data"]["createPatron"]["patron"]["id"].as_str().unwrap().to_owned());
    }
    for (i, e) in events.iter().enumerate() { for p in &patrons {
        let v = c.run(&format!(r#"mutation {{ checkIn(input: {{eventId: "{e}", patronId: "{p}", device: "d"}}) {{ outcome repeated scan {{ id occurredAt direction outcome device }} attendance {{ id state event {{ title checkedInCount }} patron {{ name points }} }} errors {{ __typename code message path }} }} }}"#)).await;
        if i == 0 && p == &patrons[0] { println!("{} {v}", st(&v)); }
    } }
    let q = |n: usize| format!("{{ events(first: {n}) {{ nodes {{ title status attendances(first: 3) {{ nodes {{ state patron {{ name points loyaltyEntries(first: 2) {{ nodes {{ points reason }} }} }} }} }} }} }} }}");
    for n in [1, 20] { let v = c.run(&q(n)).await; println!("nested {n}: {} errors {:?}", st(&v), v.get("errors")); if n == 1 { println!("{v}"); } }
    let q = |n: usize| format!("query {{ events(first: {n}) {{ totalCount pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {{ ...F changeCursor b: attendances(first: 2) {{ edges {{ node {{ ...A }} }} }} }} }} nodes {{ t: title host {{ user {{ username }} }} }} }} }} fragment F on Event {{ a: attendances(first: 3) {{ nodes {{ ...A p2: patron {{ id }} }} }} }} fragment A on Attendance {{ state patron {{ name ... on Patron {{ loyaltyEntries(first: 2) {{ edges {{ node {{ points }} }} }} attendances(first: 4) {{ nodes {{ event {{ title }} }} }} }} }} }}");
    for n in [1, 20] { for _ in 0..5 { let v = c.run(&q(n)).await; println!("aliases {n}: {} errors {:?}", st(&v), v.get("errors")); } }
    let t = std::time::Instant::now();
    for _ in 0..20 { c.run(&q(20)).await; }
    println!("aliases 20: {:?} each", t.elapsed() / 20);
    // cursors
    let v = c.run(r#"{ events(first: 2) { pageInfo { endCursor hasNextPage hasPreviousPage } nodes { title } } }"#).await; println!("{v}");
    let cur = v["data"]["events"]["pageInfo"]["endCursor"].as_str().unwrap();
    println!("{}", c.run(&format!(r#"{{ events(first: 2, after: "{cur}") {{ pageInfo {{ hasPreviousPage }} nodes {{ title }} }} }}"#)).await);
    println!("{}", c.run(r#"{ events(first: 500) { nodes { title } } }"#).await);
    println!("{}", c.run(r#"{ events(first: 2) { nodes { title attendances(first: 1000) { nodes { id } } b: attendances(first: 1, last: 2) { nodes { id } } c: attendances(last: 1) { nodes { id } } } } }"#).await);
    // ids
    println!("{}", c.run(&format!(r#"{{ a: event(id: "garbage") {{ id }} b: event(id: "{}") {{ id }} c: node(id: "{}") {{ __typename id ... on Event {{ attendances(first: 1) {{ nodes {{ patron {{ name }} }} }} }} }} d: node(id: "x") {{ id }} }}"#, patrons[0], events[0])).await);
    println!("{}", c.run(&format!(r#"{{ nodes(ids: ["{}", "{}", "{}", "{}"]) {{ __typename id ... on Patron {{ name attendances(first: 1) {{ nodes {{ event {{ title }} }} }} }} }} }}"#, events[0], patrons[0], patrons[1], "RQAAAAAAAAAAAAAAAAAAAAA")).await);
    println!("{}", c.run(r#"{ node(id: "T0x") { id } event(id: "RQAAAAAAAAAAAAAAAAAAAAA") { id } }"#).await);
    let v = c.run(&format!(r#"mutation {{ deletePatron(input: {{patronId: "{}"}}) {{ patron {{ id }} errors {{ message }} }} }}"#, patrons[0])).await; println!("{v}");
    println!("{}", c.run(&format!(r#"{{ patron(id: "{0}") {{ id }} node(id: "{0}") {{ id }} }}"#, patrons[0])).await);
    // second tenant
    let v = anon.run(r#"mutation { signUp(input: {username: "bob", email: "bob@example.org", password: "Passw0rdX", firstName: "Bob"}) { token viewer { permissions can(permission: "events:update") } errors { code } } createOrganization(input: {name: "Other"}) { organization { id name slug owner { username } } errors { message code path } } createPatron(input: {firstName: "Zed"}) { patron { id } } }"#).await; println!("{v}");
    let d = C { s: s.clone(), token: Some(v["data"]["signUp"]["token"].as_str().unwrap().to_owned()) };
    println!("{}", d.run(&format!(r#"{{ event(id: "{0}") {{ id }} node(id: "{0}") {{ id }} }}"#, events[0])).await);
    println!("{}", d.run(&format!(r#"mutation {{ publishEvent(input: {{eventId: "{0}"}}) {{ event {{ id }} errors {{ __typename code message path }} }} b: publishEvent(input: {{eventId: "RQAAAAAAAAAAAAAAAAAAAAA"}}) {{ event {{ id }} errors {{ __typename code message path }} }} }}"#, events[0])).await);
    // member role without loyalty etc
    println!("{}", c.run(r#"mutation { addMember(input: {email: "bob@example.org", role: "checkin"}) { member { id role user { username } } errors { message path } } }"#).await);
    let v = c.run(r#"{ organization { id slug owner { username } metadata } members { totalCount nodes { role user { username } } } roles { slug permissions } viewer { sessions { current userAgent } } }"#).await; println!("{v}");
    let org = v["data"]["organization"]["id"].as_str().unwrap();
    println!("{}", d.run(&format!(r#"mutation {{ activateOrganization(input: {{organizationId: "{org}"}}) {{ organization {{ name owner {{ username }} }} errors {{ message }} }} }}"#)).await);
    println!("{}", d.run(r#"{ patrons(first: 1, search: "p1") { totalCount nodes { name points tier loyaltyEntries { nodes { points } } } } members { nodes { id } } }"#).await);
    println!("{}", d.run(r#"mutation { createEvent(input: {title: "x", startsAt: "2026-11-21T10:00:00Z", endsAt: "2026-11-21T11:00:00Z"}) { event { id } } }"#).await);
    // batch
    let v = c.run(&format!(r#"mutation {{ recordScans(input: {{scans: [{{id: "0193f3a0-0000-7000-8000-000000000001", eventId: "{0}", patronId: "{1}", direction: OUT, occurredAt: "2026-11-21T09:00:00.123456789Z"}}, {{id: "bad", eventId: "{0}", patronId: "{1}", direction: OUT, occurredAt: "2026-11-21T09:00:00Z"}}, {{id: "0193f3a0-0000-7000-8000-000000000002", eventId: "{1}", patronId: "{1}", direction: OUT, occurredAt: "2026-11-21T09:00:00Z"}}, {{id: "0193f3a0-0000-7000-8000-000000000003", eventId: "{0}", patronId: "{2}", direction: OUT, occurredAt: "2026-11-21T09:00:00Z"}}]}}) {{ results {{ scanId outcome repeated attendance {{ state patron {{ name }} }} error {{ __typename code message path }} }} errors {{ message }} }} }}"#, events[0], patrons[1], patrons[0])).await; println!("{v}");
    let v = c.run(&format!(r#"mutation {{ a: checkOut(input: {{scanId: "0193f3a0-0000-7000-8000-000000000001", eventId: "{0}", patronId: "{1}", occurredAt: "2026-11-21T09:00:00.123456789Z"}}) {{ outcome repeated errors {{ code path }} }} b: checkOut(input: {{scanId: "0193f3a0-0000-7000-8000-000000000001", eventId: "{0}", patronId: "{2}"}}) {{ outcome repeated errors {{ code path }} }} r: revertCheckIn(input: {{eventId: "{0}", patronId: "{1}", reason: "oops"}}) {{ outcome attendance {{ state }} errors {{ code path message }} }} reg: register(input: {{eventId: "{0}", patronId: "{1}", seats: 2}}) {{ attendance {{ seats state }} errors {{ code message }} }} can: cancelRegistration(input: {{eventId: "{0}", patronId: "{1}"}}) {{ attendance {{ seats state }} errors {{ code message }} }} }}"#, events[0], patrons[1], patrons[2])).await; println!("{v}");
    // changes
    let v = c.run(&format!(r#"{{ attendanceChanges(eventId: "{}", first: 100, types: [CHECK_IN_REVERTED, CHECKED_OUT]) {{ cursor caughtUp changes {{ sequence type occurredAt reason event {{ title }} patron {{ name }} attendance {{ state patron {{ id }} }} }} }} }}"#, events[0])).await; println!("{v}");
    let v = c.run(&format!(r#"{{ event(id: "{}") {{ changeCursor }} }}"#, events[1])).await;
    let cur = v["data"]["event"]["changeCursor"].as_str().unwrap().to_owned();
    let q = format!(r#"subscription {{ attendanceChanged(after: "{cur}") {{ cursor caughtUp changes {{ sequence type event {{ title insideCount }} patron {{ name }} attendance {{ state }} }} }} }}"#);
    let op = guard::admit(Request::new(q)).unwrap();
    let mut stream = Box::pin(c.s.subscribe(cred(c.token.as_deref()), op));
    println!("S0 {}", serde_json::to_value(stream.next().await.unwrap()).unwrap());
    for d in ["checkOut", "checkIn"] {
        c.run(&format!(r#"mutation {{ {d}(input: {{eventId: "{}", patronId: "{}"}}) {{ outcome }} }}"#, events[1], patrons[1])).await;
        println!("S {}", serde_json::to_value(stream.next().await.unwrap()).unwrap());
    }
    let (e, p) = (&events[2], &patrons[1]);
    println!("STALE {}", c.run(&format!(r#"mutation {{ a: checkOut(input: {{eventId: "{e}", patronId: "{p}"}}) {{ attendance {{ state event {{ insideCount }} }} }} b: checkIn(input: {{eventId: "{e}", patronId: "{p}"}}) {{ outcome attendance {{ state event {{ insideCount }} }} }} }}"#)).await);
    let v = c.run(&format!(r#"mutation {{ startImport(input: {{fileName: "a.csv", content: "Rmlyc3QgTmFtZSxMYXN0IE5hbWUsRW1haWwKSm8sQmFyLGpvQGV4YW1wbGUub3JnCg==", eventId: "{e}"}}) {{ import {{ id status event {{ title }} file {{ preset }} }} errors {{ message path }} }} b: startImport(input: {{fileName: "", content: "%%"}}) {{ errors {{ code path }} }} }}"#)).await; println!("{v}");
    let id = v["data"]["startImport"]["import"]["id"].as_str().unwrap().to_owned();
    let stop = tokio_util::sync::CancellationToken::new();
    tokio::spawn(domain::jobs::Worker::new(&db).run(stop.clone()));
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    println!("{}", c.run(&format!(r#"{{ import(id: "{id}") {{ status failure toCreate rowsTotal file {{ encoding separator columns preset detectedPreset confidence mapping {{ column field }} }} event {{ title }} }} imports {{ nodes {{ id event {{ title }} }} }} importRows(importId: "{id}") {{ nodes {{ line verdict content patron {{ name }} committed }} pageInfo {{ endCursor }} }} }}"#)).await);
    println!("{}", c.run(&format!(r#"mutation {{ commitImport(input: {{importId: "{id}"}}) {{ import {{ status }} errors {{ message }} }} }}"#)).await);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    println!("{}", c.run(&format!(r#"{{ node(id: "{id}") {{ ... on Import {{ status rowsDone }} }} importRows(importId: "{id}") {{ nodes {{ line patron {{ name attendances {{ nodes {{ state }} }} }} committed }} }} }}"#)).await);
    let mut bad = cred(None); bad.cookie = Some("zzz".into());
    let r = s.execute(bad, guard::admit(Request::new("{ viewer { can(permission: \"x\") } }")).unwrap()).await; println!("BADCOOKIE {:?} {}", r.http_headers, serde_json::to_value(&r).unwrap());
    let mut other = cred(c.token.as_deref()); other.organization = Some("other".into());
    let r = s.execute(other, guard::admit(Request::new("{ organization { id } events { nodes { id } } }")).unwrap()).await; println!("OTHER {}", serde_json::to_value(&r).unwrap());
    let mut other = cred(c.token.as_deref()); other.organization = Some("nowhere".into());
    let r = s.execute(other, guard::admit(Request::new("{ organization { id } events { nodes { id } } }")).unwrap()).await; println!("OTHER {}", serde_json::to_value(&r).unwrap());
    println!("{}", c.run("mutation { signOut { errors { message } } }").await);
    println!("S {}", serde_json::to_value(stream.next().await.unwrap()).unwrap());
    println!("S end {:?}", stream.next().await.is_none());
    println!("{}", c.run("{ viewer { user { id } } }").await);
    let op = guard::admit(Request::new("subscription { attendanceChanged { cursor } }")).unwrap();
    let mut stream = Box::pin(anon.s.subscribe(cred(None), op));
    println!("S anon {}", serde_json::to_value(stream.next().await.unwrap()).unwrap());
    println!("{}", anon.run("{ events { nodes { idd } } }").await);
}
