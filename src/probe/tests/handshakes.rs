//! Handshakes that go wrong, and what leaves in them.

use super::*;

/// How a handshake fails with a server that answers the ClientHello with these bytes and goes.
fn answered(answer: &'static [u8]) -> TlsFailure {
    run(async move {
        let address = serve(move |mut stream| async move {
            accept_ssl_request(&mut stream).await;
            let _ = stream.read(&mut [0; 2048]).await;
            stream.write_all(answer).await.unwrap();
        })
        .await;
        tls_failure(&probe(&Pki::new().plan(&[address])).await).clone()
    })
}

#[test]
fn handshakes_that_end_early_are_told_apart() {
    assert_eq!(answered(b""), TlsFailure::Ended(Closure::Closed));
    assert_eq!(answered(b"HTTP/1.1 400\r\n"), TlsFailure::NotTls(b"HTTP/1.1 400\r\n".to_vec()));
    assert_eq!(answered(b"E\0\0\0\x08xx"), TlsFailure::NotTls(b"E\0\0\0\x08xx".to_vec()));
    assert_eq!(answered(&[21, 3, 3, 0, 2, 2, 40]), TlsFailure::AlertReceived(40));
    assert!(matches!(answered(&[22, 3, 3, 0, 4, 1, 0, 0, 0]), TlsFailure::Protocol(_)));
}

#[test]
fn a_reset_in_the_handshake_is_no_close() {
    run(async {
        let address = serve(|mut stream| async move {
            accept_ssl_request(&mut stream).await;
            let _ = stream.read(&mut [0; 2048]).await;
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        })
        .await;
        let evidence = probe(&Pki::new().plan(&[address])).await;
        assert_eq!(tls_failure(&evidence), &TlsFailure::Ended(Closure::Reset));
    });
}

#[test]
fn silence_in_the_handshake_ends_at_the_deadline_and_goes_on_to_the_next_host() {
    run(async {
        let silent = serve(|mut stream| async move {
            accept_ssl_request(&mut stream).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let mut plan = Pki::new().plan(&[silent, silent]);
        plan.settings.connect_timeout = Some(Duration::from_millis(200));
        plan.second_looks = true;
        let begin = Instant::now();
        let evidence = probe(&plan).await;
        assert!(begin.elapsed() < Duration::from_millis(2500), "{:?}", begin.elapsed());
        assert_eq!(evidence.attempts.len(), 2);
        for attempt in &evidence.attempts {
            let tls = &attempt.tls.as_ref().unwrap().result;
            assert!(matches!(tls.failure, Some(TlsFailure::TimedOut(_))));
            assert!(tls.bytes_sent > 200 && tls.bytes_received == 0);
        }
        let purposes: Vec<_> = evidence
            .looks
            .iter()
            .map(|look| match &look.question {
                Question::Hello(offer) => (offer.purpose, &look.answer),
                other => panic!("{other:?}"),
            })
            .collect();
        let silence = &Answer::TimedOut;
        let asked = [HelloPurpose::WholeAnswer, HelloPurpose::ShortAnswer, HelloPurpose::Alpn];
        assert_eq!(
            purposes,
            [asked, asked].concat().iter().map(|purpose| (*purpose, silence)).collect::<Vec<_>>()
        );
    });
}

#[test]
fn a_flood_in_the_handshake_is_cut_off() {
    run(async {
        let address = serve(|mut stream| async move {
            accept_ssl_request(&mut stream).await;
            let _ = stream.read(&mut [0; 2048]).await;
            // Empty ChangeCipherSpec-like records would be counted by rustls itself; these are of a handshake message
            // that never ends.
            let mut record = vec![22, 3, 3, 0x3F, 0xFF];
            record.extend([2, 0xFF, 0xFF, 0xFF]);
            record.resize(5 + 0x3FFF, 0);
            while stream.write_all(&record).await.is_ok() {}
        })
        .await;
        let evidence = probe(&Pki::new().plan(&[address])).await;
        assert!(matches!(tls_failure(&evidence), TlsFailure::Protocol(_)));
        assert!(last(&evidence).tls.as_ref().unwrap().result.bytes_received <= 300 * 1024);
    });
}

#[test]
fn direct_tls_without_alpn_is_refused_and_nothing_is_sent() {
    run(async {
        let pki = Pki::new();
        let acceptor = pki.acceptor(&[]);
        let received = Arc::new(Mutex::new(None));
        let keep = Arc::clone(&received);
        let address = serve(move |stream| {
            let (acceptor, keep) = (acceptor.clone(), Arc::clone(&keep));
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                *keep.lock().unwrap() = Some(rest);
            }
        })
        .await;
        let mut plan = pki.plan(&[address]);
        plan.settings.negotiation = SslNegotiation::Direct;
        let evidence = probe(&plan).await;
        assert_eq!(tls_failure(&evidence), &TlsFailure::NoAlpn);
        assert_eq!(received.lock().unwrap().as_deref(), Some(&b""[..]));
    });
}

#[test]
fn another_certificate_under_the_name_is_found() {
    run(async {
        let pki = Pki::new();
        let other = Pki::named("other.example");
        let (named, unnamed) = (pki.acceptor(&[]), other.acceptor(&[]));
        let address = serve(move |mut stream| {
            let (named, unnamed) = (named.clone(), unnamed.clone());
            async move {
                accept_ssl_request(&mut stream).await;
                let mut hello = [0; 2048];
                let count = stream.peek(&mut hello).await.unwrap();
                let reads_name = hello[..count].windows(NAME.len()).any(|window| window == NAME.as_bytes());
                let acceptor = if reads_name { named } else { unnamed };
                let _ = acceptor.accept(stream).await;
            }
        })
        .await;
        let mut plan = other.plan(&[address]);
        plan.settings.sni = false;
        plan.second_looks = true;
        let evidence = probe(&plan).await;
        assert_eq!(tls_failure(&evidence), &TlsFailure::CertificateRefused);
        let leaves: Vec<_> = evidence
            .looks
            .iter()
            .map(|look| match &look.answer {
                Answer::ServerHello { leaf: Some(leaf), .. } => leaf,
                _ => panic!("{look:?}"),
            })
            .collect();
        assert_eq!(leaves, [&other.certificate, &pki.certificate]);
    });
}

#[test]
fn names_leave_exactly_as_they_were_typed() {
    run(async {
        let received = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&received);
        let address = serve(move |mut stream| {
            let keep = Arc::clone(&keep);
            async move {
                accept_ssl_request(&mut stream).await;
                let mut hello = vec![0; 2048];
                let count = stream.read(&mut hello).await.unwrap();
                hello.truncate(count);
                *keep.lock().unwrap() = hello;
            }
        })
        .await;
        for name in ["DB.Example", "db.example.", "_x", "b\u{f6}se"] {
            let evidence = probe(&plan(vec![host_at(name, address)])).await;
            let record = &last(&evidence).tls.as_ref().unwrap().result;
            assert_eq!(record.offer.sni.as_deref(), Some(name));
            let hello = received.lock().unwrap().clone();
            assert!(hello.windows(name.len()).any(|window| window == name.as_bytes()), "{name}");
            assert_eq!(record.bytes_sent, hello.len());
        }
    });
}

#[test]
fn tls_alone_ends_after_the_verdict() {
    let (evidence, received) = scripted(Vec::new(), |plan| plan.scope.tls_only = true);
    assert_eq!(last(&evidence).tls.as_ref().unwrap().result.failure, None);
    assert!(last(&evidence).session.is_none());
    assert_eq!(received, b"");
}

/// rustls has a chain judged while it reads it, on the thread that reads: of a long one that is another thread than the
/// one on which all other targets are waited for.
#[test]
fn a_long_chain_is_judged_on_another_thread() {
    for (copies, here) in [(0, true), (100, false)] {
        run(async move {
            let pki = Pki::new();
            let more = vec![CertificateDer::from(pki.certificate.der().to_vec()); copies];
            let acceptor = pki.acceptor_with(&["postgresql"], more);
            let address = serve(move |mut stream| {
                let acceptor = acceptor.clone();
                async move {
                    accept_ssl_request(&mut stream).await;
                    drop(acceptor.accept(stream).await);
                }
            })
            .await;
            let mut plan = pki.plan(&[address]);
            plan.scope.tls_only = true;
            crate::verify::effort::take();
            let evidence = probe(&plan).await;
            let (_, candidates) = crate::verify::effort::take();
            let tls = &last(&evidence).tls.as_ref().unwrap().result;
            assert_eq!(tls.chain.len(), 1 + copies);
            assert!(tls.judgement.as_ref().unwrap().accepted, "{:?}", tls.judgement);
            assert_eq!(candidates > 0, here, "{candidates} looks on this thread with {copies} copies");
        });
    }
}
