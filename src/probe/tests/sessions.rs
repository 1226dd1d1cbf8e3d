//! Sessions with scripted servers.

use super::*;

#[test]
fn a_session_is_seen_and_ended_well() {
    let script = [
        asked(0, b""),
        said(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0"),
        said(b'S', b"server_version\x0018.4\0"),
        said(b'S', b"odd\0\xff\0"),
        said(b'K', &[0; 8]),
        READY.to_vec(),
    ];
    let answer = [
        said(b'T', &[&[0, 1][..], b"ssl\0", &[0; 18]].concat()),
        said(b'D', &[0, 1, 0, 0, 0, 1, b't']),
        said(b'C', b"SELECT 1\0"),
        READY.to_vec(),
    ];
    let (evidence, received) = conversed(vec![script.concat(), answer.concat()], |_| {});
    let session = session(&evidence);
    assert_eq!(session.failure, None);
    assert_eq!(session.server_version.as_deref(), Some("18.4"));
    assert_eq!(session.notices[0].message, "hello");
    assert_eq!(session.backend_ssl, Some(true));
    assert_eq!(session.last_message, Some(b'Z'));
    assert!(session.ready.is_some() && session.authenticated.is_some());
    let terminate = b"X\0\0\0\x04";
    assert!(
        received.starts_with(b"Q") && received.ends_with(terminate),
        "{}",
        String::from_utf8_lossy(&received)
    );
}

#[test]
fn no_password_and_methods_that_cannot_be_used_end_politely() {
    for (script, expected) in [
        (asked(3, b""), SessionFailure::PasswordNeeded),
        (asked(5, b"salt"), SessionFailure::PasswordNeeded),
        (asked(10, b"SCRAM-SHA-256\0\0"), SessionFailure::PasswordNeeded),
        (asked(7, b""), SessionFailure::MethodUnsupported),
        (asked(10, b"OAUTHBEARER\0\0"), SessionFailure::MethodUnsupported),
    ] {
        let (evidence, received) = scripted(script, |_| {});
        assert_eq!(session(&evidence).failure.as_ref(), Some(&expected));
        assert_eq!(session(&evidence).requested.len(), 1);
        assert_eq!(received, b"", "{}", String::from_utf8_lossy(&received));
    }
}

#[test]
fn a_password_is_sent_only_where_the_settings_allow_it() {
    let (evidence, received) =
        scripted([asked(3, b""), asked(0, b""), READY.to_vec()].concat(), with_password);
    assert!(session(&evidence).authenticated.is_some());
    assert!(received.starts_with(b"p\0\0\0\x0bsecret\0"), "{received:?}");
    for change in [
        (|plan| plan.settings.require_auth = RequireAuth::Except(vec![AuthMethod::Password]))
            as fn(&mut Plan),
        |plan| plan.settings.require_auth = RequireAuth::Only(vec![AuthMethod::ScramSha256]),
        |plan| plan.settings.channel_binding = ChannelBinding::Require,
    ] {
        let (evidence, received) = scripted(asked(3, b""), |plan| {
            with_password(plan);
            change(plan);
        });
        assert!(session(&evidence).failure.is_some());
        assert_eq!(received, b"");
    }
    let unmet = session_failure([asked(0, b""), READY.to_vec()].concat(), |plan| {
        plan.settings.certificate_mode = SslCertMode::Require;
    });
    assert_eq!(unmet, SessionFailure::CertificateModeUnmet);
}

/// A server that got the password in clear text may repeat it wherever it speaks.
#[test]
fn a_password_that_the_server_repeats_is_masked() {
    let told = b"SFATAL\0VFATAL\0C28P01\0Mbad password \"secret\"\0Dgiven: 'secret'\0Hnot secret but\0\0";
    let refusal = said(b'E', told);
    let script = vec![asked(3, b""), refusal];
    let (evidence, received) = conversed(script, with_password);
    assert!(received.windows(6).any(|part| part == b"secret"), "it was sent");
    let Some(SessionFailure::Server(message)) = &session(&evidence).failure else { panic!() };
    assert_eq!(message.message, "bad password \"********\"");
    assert_eq!(message.detail.as_deref(), Some("given: '********'"));
    assert!(!format!("{evidence:?}").contains("\"secret"), "{evidence:?}");
    let notice = said(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mwelcome (secret)\0\0");
    let version = said(b'S', b"server_version\0\"secret\"\0");
    let script = [asked(3, b""), asked(0, b""), notice, version, READY.to_vec()].concat();
    let (evidence, _) = scripted(script, with_password);
    assert_eq!(session(&evidence).notices[0].message, "welcome (********)");
    assert_eq!(session(&evidence).server_version.as_deref(), Some("\"********\""));
}

#[test]
fn scram_that_goes_wrong_is_named() {
    let offer = asked(10, b"SCRAM-SHA-256\0\0");
    // A nonce that does not begin with the client's.
    let stranger = asked(11, b"r=x,s=AAAA,i=4096");
    let failure = session_failure([offer, stranger].concat(), with_password);
    assert!(matches!(failure, SessionFailure::ScramMismatch(_)), "{failure:?}");
}

#[test]
fn what_a_hostile_server_says_is_bounded() {
    let announced = [&b"E"[..], &0x4040_4040_u32.to_be_bytes()].concat();
    // Taken for text of a server of long ago, whose end does not come.
    let hasty = |plan: &mut Plan| plan.settings.connect_timeout = Some(Duration::from_millis(300));
    assert_eq!(session_failure(announced.clone(), hasty), SessionFailure::TimedOut);
    // libpq waits for a long error too.
    assert_eq!(session_failure([asked(0, b""), announced].concat(), hasty), SessionFailure::TimedOut);
    let notice = said(b'N', &[&b"M"[..], &[b'x'; 10_000], b"\0\0"].concat());
    let (evidence, _) = scripted([asked(0, b""), notice.repeat(40)].concat(), |_| {});
    assert!(matches!(session(&evidence).failure, Some(SessionFailure::Protocol(_))));
    assert!(session(&evidence).notices.len() <= 20);
    assert!(session(&evidence).notices.iter().all(|notice| notice.message.len() <= 4096));
    let garbage = session_failure(said(b'Q', b"?"), |_| {});
    assert!(matches!(garbage, SessionFailure::Protocol(_)), "{garbage:?}");
}

#[test]
fn sessions_that_end_or_fall_silent_are_told_apart() {
    let timeout = |plan: &mut Plan| plan.settings.connect_timeout = Some(Duration::from_millis(300));
    assert_eq!(session_failure(Vec::new(), timeout), SessionFailure::TimedOut);
    let (evidence, _) = scripted(asked(0, b""), timeout);
    assert_eq!(session(&evidence).failure, Some(SessionFailure::TimedOut));
    assert_eq!(session(&evidence).last_message, Some(b'R'));
    assert_eq!(session(&evidence).incomplete, None);
    let (evidence, _) = scripted([asked(0, b""), b"E\0\0\0".to_vec()].concat(), timeout);
    assert_eq!(session(&evidence).failure, Some(SessionFailure::TimedOut));
    assert_eq!(session(&evidence).incomplete, Some((b'E', 4)));
    run(async {
        let pki = Pki::new();
        let address = serve_started(&pki, |mut stream| async move {
            stream.shutdown().await.unwrap();
        })
        .await;
        let evidence = probe(&pki.plan(&[address])).await;
        assert_eq!(session(&evidence).failure, Some(SessionFailure::Ended(Closure::Closed)));
    });
}

#[test]
fn a_record_that_comes_in_part_is_counted() {
    run(async {
        let pki = Pki::new();
        let address = serve_started(&pki, |mut stream| async move {
            stream.get_mut().0.write_all(&[23, 3, 3, 0, 64, 1, 2]).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let mut plan = pki.plan(&[address]);
        plan.settings.connect_timeout = Some(Duration::from_millis(300));
        let evidence = probe(&plan).await;
        assert_eq!(session(&evidence).failure, Some(SessionFailure::TimedOut));
        assert_eq!(session(&evidence).part_of_record, Some((7, 69)));
    });
}
