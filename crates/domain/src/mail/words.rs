//! The texts of all mails, in each language. `{name}` stands for a word that is filled in.

use super::{Kind, Locale};

/// What a mail says, around its link and token if it has any.
pub(super) struct Words {
    pub(super) subject: &'static str,
    pub(super) before: &'static str,
    /// What the link is called; empty where there is none.
    pub(super) link: &'static str,
    pub(super) after: &'static str,
}

/// How somebody is greeted: by name, and without one.
pub(super) fn greeting(locale: Locale) -> (&'static str, &'static str) {
    match locale {
        Locale::En => ("Hello {name},", "Hello,"),
        Locale::De => ("Guten Tag {name},", "Guten Tag,"),
    }
}

/// What stands before the token.
pub(super) fn token(locale: Locale) -> &'static str {
    match locale {
        Locale::En => "Where you are asked for a token, it is this one:",
        Locale::De => "Wo nach einem Token gefragt wird, ist es dieses:",
    }
}

/// The words of a kind.
pub(super) fn words(kind: Kind, locale: Locale) -> Words {
    match locale {
        Locale::En => english(kind),
        Locale::De => german(kind),
    }
}

fn english(kind: Kind) -> Words {
    match kind {
        Kind::VerifyEmail => Words {
            subject: "Confirm your address",
            before: "please confirm that this address is yours.",
            link: "Confirm the address",
            after: "This works once, within 24 hours. If you did not sign up at Rollcall, you need not do anything.",
        },
        Kind::ResetPassword => Words {
            subject: "Choose another password",
            before: "somebody, probably you, asked for another password for your account.",
            link: "Choose another password",
            after: "This works once, within an hour, and signs you out everywhere. If it was not you, you need not do anything: your password stays as it is.",
        },
        Kind::ChangeEmail => Words {
            subject: "Confirm your new address",
            before: "this is to be the new address of your account. Sign in and confirm that it is yours.",
            link: "Confirm the new address",
            after: "This works once, within 24 hours. If you did not ask for it, you need not do anything.",
        },
        Kind::EmailChangeRequested => Words {
            subject: "Your address is to change",
            before: "somebody who gave your password asked that {email} become the address of your account. It does so once it is confirmed from there.",
            link: "",
            after: "If it was not you, change your password at once: that ends every other session and this change.",
        },
        Kind::EmailChanged => Words {
            subject: "Your address has changed",
            before: "the address of your account is {email} now.",
            link: "",
            after: "If it was not you, write to whoever runs this service.",
        },
        Kind::PasswordChanged => Words {
            subject: "Your password has changed",
            before: "your account has another password, and every other session was ended.",
            link: "",
            after: "If it was not you, ask for another password at once.",
        },
        Kind::SecondFactorAdded => Words {
            subject: "Your account has another second factor",
            before: "a second factor was added to your account: signing in takes it from now on.",
            link: "",
            after: "If it was not you, change your password at once, and look at your second factors.",
        },
        Kind::SecondFactorRemoved => Words {
            subject: "A second factor was removed",
            before: "a second factor was taken from your account.",
            link: "",
            after: "If it was not you, change your password at once: that ends every other session.",
        },
        Kind::RecoveryCodesReplaced => Words {
            subject: "You have other recovery codes",
            before: "your account has ten other recovery codes. Those before are worth nothing any more.",
            link: "",
            after: "If it was not you, change your password at once: that ends every other session.",
        },
        Kind::RecoveryCodeUsed => Words {
            subject: "A recovery code was used",
            before: "one of the recovery codes of your account was used in place of a second factor. {left} are left.",
            link: "",
            after: "If it was not you, change your password at once, and make other recovery codes.",
        },
        Kind::AccountClosed => Words {
            subject: "Your account is closed",
            before: "your account is closed, as somebody who gave your password asked, and nobody can sign in to it any more. In 30 days nothing of it is left.",
            link: "",
            after: "If it was not you, write to whoever runs this service before that.",
        },
        Kind::AccountLinked => Words {
            subject: "Another way to sign in",
            before: "whoever signs in at {provider} with the account that was just linked is signed in to yours.",
            link: "",
            after: "If it was not you, change your password at once, sign in, and unlink the account.",
        },
        Kind::AccountUnlinked => Words {
            subject: "A way to sign in is gone",
            before: "the account at {provider} does not sign in to yours any more.",
            link: "",
            after: "If it was not you, change your password at once.",
        },
        Kind::Invitation => Words {
            subject: "You are invited",
            before: "you are invited to {organization} on Rollcall. Sign in with the account of this address, or make one, and accept.",
            link: "Accept the invitation",
            after: "This works once, within seven days. If you do not want to, you need not do anything.",
        },
    }
}

fn german(kind: Kind) -> Words {
    match kind {
        Kind::VerifyEmail => Words {
            subject: "Bestätigen Sie Ihre Adresse",
            before: "bitte bestätigen Sie, dass diese Adresse Ihre ist.",
            link: "Adresse bestätigen",
            after: "Das geht einmal, innerhalb von 24 Stunden. Wenn Sie sich nicht bei Rollcall angemeldet haben, müssen Sie nichts tun.",
        },
        Kind::ResetPassword => Words {
            subject: "Wählen Sie ein anderes Passwort",
            before: "jemand, wahrscheinlich Sie, hat um ein anderes Passwort für Ihr Konto gebeten.",
            link: "Anderes Passwort wählen",
            after: "Das geht einmal, innerhalb einer Stunde, und meldet Sie überall ab. Wenn Sie es nicht waren, müssen Sie nichts tun: Ihr Passwort bleibt, wie es ist.",
        },
        Kind::ChangeEmail => Words {
            subject: "Bestätigen Sie Ihre neue Adresse",
            before: "das soll die neue Adresse Ihres Kontos werden. Melden Sie sich an und bestätigen Sie, dass sie Ihre ist.",
            link: "Neue Adresse bestätigen",
            after: "Das geht einmal, innerhalb von 24 Stunden. Wenn Sie nicht darum gebeten haben, müssen Sie nichts tun.",
        },
        Kind::EmailChangeRequested => Words {
            subject: "Ihre Adresse soll sich ändern",
            before: "jemand, der Ihr Passwort angab, hat darum gebeten, dass {email} die Adresse Ihres Kontos wird. Sie wird es, sobald sie von dort bestätigt ist.",
            link: "",
            after: "Wenn Sie es nicht waren, ändern Sie sofort Ihr Passwort: Das beendet jede andere Sitzung und diese Änderung.",
        },
        Kind::EmailChanged => Words {
            subject: "Ihre Adresse hat sich geändert",
            before: "die Adresse Ihres Kontos ist jetzt {email}.",
            link: "",
            after: "Wenn Sie es nicht waren, schreiben Sie an den Betreiber dieses Dienstes.",
        },
        Kind::PasswordChanged => Words {
            subject: "Ihr Passwort hat sich geändert",
            before: "Ihr Konto hat ein anderes Passwort, und jede andere Sitzung wurde beendet.",
            link: "",
            after: "Wenn Sie es nicht waren, bitten Sie sofort um ein anderes Passwort.",
        },
        Kind::SecondFactorAdded => Words {
            subject: "Ihr Konto hat einen weiteren zweiten Faktor",
            before: "zu Ihrem Konto kam ein zweiter Faktor hinzu: Die Anmeldung verlangt ihn von jetzt an.",
            link: "",
            after: "Wenn Sie es nicht waren, ändern Sie sofort Ihr Passwort und sehen Sie Ihre zweiten Faktoren durch.",
        },
        Kind::SecondFactorRemoved => Words {
            subject: "Ein zweiter Faktor wurde entfernt",
            before: "ein zweiter Faktor Ihres Kontos wurde entfernt.",
            link: "",
            after: "Wenn Sie es nicht waren, ändern Sie sofort Ihr Passwort: Das beendet jede andere Sitzung.",
        },
        Kind::RecoveryCodesReplaced => Words {
            subject: "Sie haben andere Wiederherstellungscodes",
            before: "Ihr Konto hat zehn andere Wiederherstellungscodes. Die bisherigen gelten nicht mehr.",
            link: "",
            after: "Wenn Sie es nicht waren, ändern Sie sofort Ihr Passwort: Das beendet jede andere Sitzung.",
        },
        Kind::RecoveryCodeUsed => Words {
            subject: "Ein Wiederherstellungscode wurde verwendet",
            before: "ein Wiederherstellungscode Ihres Kontos wurde anstelle eines zweiten Faktors verwendet. {left} sind übrig.",
            link: "",
            after: "Wenn Sie es nicht waren, ändern Sie sofort Ihr Passwort und lassen Sie sich andere Wiederherstellungscodes geben.",
        },
        Kind::AccountClosed => Words {
            subject: "Ihr Konto ist geschlossen",
            before: "Ihr Konto ist geschlossen, wie jemand wünschte, der Ihr Passwort angab, und niemand kann sich mehr damit anmelden. In 30 Tagen ist nichts mehr davon da.",
            link: "",
            after: "Wenn Sie es nicht waren, schreiben Sie vorher an den Betreiber dieses Dienstes.",
        },
        Kind::AccountLinked => Words {
            subject: "Ein weiterer Weg, sich anzumelden",
            before: "wer sich bei {provider} mit dem Konto anmeldet, das eben verknüpft wurde, ist bei Ihrem angemeldet.",
            link: "",
            after: "Wenn Sie es nicht waren, ändern Sie sofort Ihr Passwort, melden Sie sich an und lösen Sie die Verknüpfung.",
        },
        Kind::AccountUnlinked => Words {
            subject: "Ein Weg, sich anzumelden, ist weg",
            before: "mit dem Konto bei {provider} kommt niemand mehr in Ihres.",
            link: "",
            after: "Wenn Sie es nicht waren, ändern Sie sofort Ihr Passwort.",
        },
        Kind::Invitation => Words {
            subject: "Sie sind eingeladen",
            before: "Sie sind bei Rollcall zu {organization} eingeladen. Melden Sie sich mit dem Konto dieser Adresse an, oder legen Sie eines an, und nehmen Sie die Einladung an.",
            link: "Einladung annehmen",
            after: "Das geht einmal, innerhalb von sieben Tagen. Wenn Sie nicht möchten, brauchen Sie nichts zu tun.",
        },
    }
}
