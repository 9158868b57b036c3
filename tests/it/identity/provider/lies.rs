//! A provider that lies signs nobody in.

use serde_json::json;

use super::{Begun, accounts, complete, with};
use crate::harness::{App, on_each_database, provider::liar};

on_each_database!(
    a_proof_that_is_none_signs_nobody_in,
    an_address_is_believed_where_it_is_proved,
    a_provider_that_is_not_in_order_is_not_asked,
);

async fn a_proof_that_is_none_signs_nobody_in(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    for lie in [
        "wrong nonce",
        "no nonce",
        "wrong issuer",
        "wrong audience",
        "two audiences",
        "another party",
        "expired",
        "unsigned",
        "our own secret",
        "another key",
        "tampered",
        "no token",
        "no subject",
        "too much",
        "elsewhere",
    ] {
        let begun = Begun::sign_in(&app, "sample").await;
        let input = begun.answered(lie, "ada");
        assert_eq!(
            app.anonymous()
                .refused("completeProviderSignIn", input)
                .await,
            ["PROVIDER_FAILED "],
            "{lie}"
        );
    }
    assert_eq!(accounts(&app).await, 0);
    // The control: it is the lie that is refused.
    let begun = Begun::sign_in(&app, "sample").await;
    complete(&app, begun.answered("truth", "ada")).await;
    assert_eq!(accounts(&app).await, 1);
    app.stop().await;
}

async fn an_address_is_believed_where_it_is_proved(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    for lie in ["no address", "unproved", "unsaid"] {
        let begun = Begun::sign_in(&app, "sample").await;
        let input = begun.answered(lie, "ada");
        assert_eq!(
            app.anonymous()
                .refused("completeProviderSignIn", input)
                .await,
            ["EMAIL_NOT_VERIFIED "],
            "{lie}"
        );
    }
    assert_eq!(accounts(&app).await, 0);
    // Once there is a link, the address is nobody's business.
    for lie in ["truth", "no address", "unproved", "unsaid"] {
        let begun = Begun::sign_in(&app, "sample").await;
        complete(&app, begun.answered(lie, "ada")).await;
    }
    assert_eq!(accounts(&app).await, 1);
    app.stop().await;
}

async fn a_provider_that_is_not_in_order_is_not_asked(app: App) {
    let flavors = [
        "impostor",
        "keyless",
        "script",
        "plain",
        "downgraded",
        "symmetric",
    ];
    let issuers = flavors.map(|flavor| (flavor, liar(flavor)));
    let providers = issuers
        .each_ref()
        .map(|(id, issuer)| (*id, issuer.as_str()));
    let app = with(app, &providers).await;
    for flavor in &flavors[..4] {
        let begin = json!({ "provider": flavor });
        assert_eq!(
            app.anonymous().denied("beginProviderSignIn", begin).await,
            "UNAVAILABLE",
            "{flavor}"
        );
    }
    for flavor in &flavors[4..] {
        let begun = Begun::sign_in(&app, flavor).await;
        for lie in ["truth", "our own secret"] {
            let begun = if lie == "truth" {
                &begun
            } else {
                &Begun::sign_in(&app, flavor).await
            };
            let input = begun.answered(lie, "ada");
            assert_eq!(
                app.anonymous()
                    .refused("completeProviderSignIn", input)
                    .await,
                ["PROVIDER_FAILED "],
                "{flavor}"
            );
        }
    }
    assert_eq!(accounts(&app).await, 0);
    app.stop().await;
}
