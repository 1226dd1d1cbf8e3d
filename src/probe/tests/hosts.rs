//! Which host comes next, and when all is over.

use super::*;

const FATAL_57P03: &[u8] = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";

#[test]
fn the_whole_targets_limit_ends_everything() {
    run(async {
        let silent = serve(|mut stream| async move {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let mut plan = Pki::new().plan(&[silent, silent, silent]);
        plan.total_limit = Some(Duration::from_millis(200));
        let begin = Instant::now();
        let evidence = probe(&plan).await;
        assert!(begin.elapsed() < Duration::from_secs(2));
        assert_eq!(evidence.attempts.len(), 1);
        let result = &last(&evidence).negotiate.as_ref().unwrap().result;
        assert!(matches!(result, NegotiateResult::TimedOut(_)));
    });
}

#[test]
fn target_session_attrs_go_on_to_the_next_host_and_prefer_standby_comes_back() {
    let primary = [
        asked(0, b""),
        said(b'S', b"in_hot_standby\0off\0"),
        said(b'S', b"default_transaction_read_only\0off\0"),
        READY.to_vec(),
    ];
    let primary = vec![primary.concat(), [said(b'C', b"SELECT 0\0"), READY.to_vec()].concat()];
    let wanting = |wanted| move |plan: &mut Plan| plan.settings.target_session_attrs = wanted;
    let (evidence, _) = conversed(primary.clone(), wanting(TargetSessionAttrs::Standby));
    let wrong = SessionFailure::WrongSessionAttrs { standby: Some(false), read_only: Some(false) };
    assert_eq!(session(&evidence).failure, Some(wrong.clone()));
    let (evidence, _) = conversed(primary, wanting(TargetSessionAttrs::PreferStandby));
    assert_eq!(evidence.attempts.len(), 2);
    assert_eq!(evidence.attempts[0].session.as_ref().unwrap().result.failure, Some(wrong));
    assert_eq!(session(&evidence).failure, None);
}

#[test]
fn a_server_that_starts_up_is_left_for_the_next_host() {
    let (evidence, _) = scripted(said(b'E', FATAL_57P03), |plan| {
        let again = plan.settings.hosts[0].clone();
        plan.settings.hosts.push(again);
    });
    assert_eq!(evidence.attempts.len(), 2);
    let Some(SessionFailure::Server(message)) = &session(&evidence).failure else { panic!() };
    assert_eq!(message.sqlstate, "57P03");
    let (evidence, _) = scripted(said(b'E', b"SFATAL\0C28P01\0Mno\0\0"), |plan| {
        let again = plan.settings.hosts[0].clone();
        plan.settings.hosts.push(again);
    });
    assert_eq!(evidence.attempts.len(), 1);
}

#[test]
fn slots_without_an_address_are_passed_over_or_final_as_in_libpq() {
    run(async {
        let refused = serve(|mut stream| async move {
            stream.read_exact(&mut [0; 8]).await.unwrap();
            stream.write_all(b"N").await.unwrap();
        })
        .await;
        let slot = || host_at(NAME, refused);
        let attempts = async |hosts: Vec<Host>| probe(&plan(hosts)).await.attempts;
        let bad = Host { port: Err(BadPort::OutOfRange("0".to_owned())), ..slot() };
        let word = Host { port: Err(BadPort::NotANumber("x".to_owned())), ..slot() };
        let malformed = Host { endpoint: Endpoint::Malformed { meant: None }, ..slot() };
        let no_address = Host { endpoint: Endpoint::BadAddress, ..slot() };
        let nobody = Host { endpoint: Endpoint::Socket("/nonexistent".into()), ..slot() };
        let tried = attempts(vec![bad, malformed, no_address, nobody.clone(), slot(), slot()]).await;
        assert_eq!(tried.len(), 5, "a server without TLS is final");
        assert_eq!(tried.iter().map(|attempt| attempt.host).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(tried[4].negotiate.as_ref().unwrap().result, NegotiateResult::Refused);
        assert_eq!(attempts(vec![word, slot()]).await.len(), 1);
        assert_eq!(attempts(vec![nobody]).await.len(), 1);
        let only = Plan {
            only: Some(std::sync::Arc::new(crate::evidence::Member::host(1))),
            ..plan(vec![slot(), slot(), slot()])
        };
        assert_eq!(probe(&only).await.attempts.iter().map(|attempt| attempt.host).collect::<Vec<_>>(), [1]);
        let mut plan = plan(vec![slot()]);
        plan.settings.sslmode = SslMode::Disable;
        assert!(probe(&plan).await.attempts.is_empty());
    });
}

#[test]
fn a_unix_socket_where_somebody_listens_is_final() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let _listener = tokio::net::UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let socket = Host { endpoint: Endpoint::Socket(directory.path().into()), ..host_named("") };
        let evidence = probe(&plan(vec![socket, host_named("name.invalid")])).await;
        assert_eq!(evidence.attempts.len(), 1);
    });
}

#[test]
fn a_name_is_resolved_and_its_addresses_tried_in_turn() {
    run(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let host = Host { port: Ok(port), ..host_named("localhost") };
        let evidence = probe(&plan(vec![host])).await;
        let dns = last(&evidence).dns.as_ref().unwrap();
        let Resolution::Found(found) = &dns.result else { panic!("{dns:?}") };
        assert_eq!(evidence.attempts.len(), found.len());
        for attempt in &evidence.attempts {
            assert!(matches!(attempt.tcp.as_ref().unwrap().result, TcpResult::Failed(_)));
        }
    });
}

#[test]
fn a_name_that_does_not_resolve_names_the_resolvers() {
    let evidence = run(async { probe(&plan(vec![host_named(&"x".repeat(64))])).await });
    let dns = last(&evidence).dns.as_ref().unwrap();
    assert!(matches!(dns.result, Resolution::Failed { .. }));
    assert!(last(&evidence).tcp.is_none());
    assert_eq!(evidence.resolvers, crate::probe::dns::resolvers());
}

#[test]
fn a_connection_closed_at_once_is_asked_again() {
    run(async {
        let address = serve(|mut stream| async move {
            stream.read_exact(&mut [0; 8]).await.unwrap();
        })
        .await;
        let mut plan = plan(vec![host_at(NAME, address)]);
        plan.second_looks = true;
        let evidence = probe(&plan).await;
        assert_eq!(
            last(&evidence).negotiate.as_ref().unwrap().result,
            NegotiateResult::Ended(Closure::Closed)
        );
        let others = &evidence.looks[1..];
        assert!(!others.is_empty() && others.iter().all(|look| matches!(look.answer, Answer::Ended(_))));
        assert_eq!(evidence.looks[0].question, Question::SslRequest);
        assert_eq!(evidence.looks[0].answer, Answer::Ended(Closure::Closed));
    });
}

#[test]
fn sslmode_allow_goes_on_to_tls_after_a_refusal_and_never_after_silence() {
    let allow = |mut plan: Plan| {
        plan.settings.sslmode = SslMode::Allow;
        plan.settings.connect_timeout = Some(Duration::from_millis(300));
        plan
    };
    run(async {
        let silent = serve(|mut stream| async move {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let evidence = probe(&allow(plan(vec![host_at(NAME, silent)]))).await;
        assert!(matches!(last(&evidence).tcp.as_ref().unwrap().result, TcpResult::Connected { .. }));
        let result = &last(&evidence).negotiate.as_ref().unwrap().result;
        assert!(matches!(result, NegotiateResult::TimedOut(_)));

        let refusing = serve(|mut stream| async move {
            let mut message = [0; 8];
            stream.read_exact(&mut message).await.unwrap();
            let answer = match message == crate::probe::negotiate::SSL_REQUEST {
                true => b"N".to_vec(),
                false => said(b'E', b"SFATAL\0C28000\0Mno\0\0"),
            };
            stream.write_all(&answer).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let evidence = probe(&allow(plan(vec![host_at(NAME, refusing)]))).await;
        let answer = &last(&evidence).plaintext.as_ref().unwrap().result;
        assert!(matches!(answer, PlaintextAnswer::Refused(message) if message.sqlstate == "28000"));
        assert_eq!(last(&evidence).negotiate.as_ref().unwrap().result, NegotiateResult::Refused);

        // Both are final: TLS is not tried.
        for answer in [said(b'E', b"SFATAL\0C57P03\0Mno\0\0"), Vec::new()] {
            let said_no = answer.clone();
            let ending = serve(move |mut stream| {
                let answer = said_no.clone();
                async move {
                    let mut length = [0; 4];
                    stream.read_exact(&mut length).await.unwrap();
                    let rest = u32::from_be_bytes(length) as usize - 4;
                    stream.read_exact(&mut vec![0; rest]).await.unwrap();
                    stream.write_all(&answer).await.unwrap();
                }
            })
            .await;
            let evidence = probe(&allow(plan(vec![host_at(NAME, ending)]))).await;
            assert!(last(&evidence).negotiate.is_none() && last(&evidence).tls.is_none());
            match session(&evidence).failure.as_ref().unwrap() {
                SessionFailure::Server(message) => assert_eq!(message.sqlstate, "57P03"),
                failure => {
                    assert_eq!((failure, answer), (&SessionFailure::Ended(Closure::Closed), Vec::new()))
                }
            }
        }

        let mut only_tls = allow(plan(vec![host_at(NAME, refusing)]));
        only_tls.scope.tls_only = true;
        assert!(last(&probe(&only_tls).await).plaintext.is_none(), "a user name would have left");
    });
}
