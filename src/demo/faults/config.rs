//! Faults of the connection string and its surroundings.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("conninfo-syntax", "the connection string has a quote that does not end", |scenario| {
        scenario.unset("password");
        scenario.end_string_with(" password='open sesame");
        Ok(())
    }),
    Fault::new("conninfo-unknown-option", "the connection string has a misspelt option", |scenario| {
        scenario.unset("sslrootcert");
        scenario.end_string_with(" sslrootcrt=root.crt");
        Ok(())
    }),
    Fault::new("conninfo-invalid-value", "sslmode has a value that libpq does not know", |scenario| {
        scenario.set("sslmode", "verify_full");
        Ok(())
    }),
    Fault::new(
        "conninfo-host-malformed",
        "host holds a whole address as a browser would take it",
        |scenario| {
            scenario.unset("hostaddr");
            scenario.set("host", "https://db.example");
            Ok(())
        },
    ),
    Fault::new("service-not-found", "the service file has no such section", |scenario| {
        let path = scenario.directory.write("services.conf", "[orders]\nhost=db.example\n")?;
        scenario.export("PGSERVICEFILE", path);
        scenario.set("service", "billing");
        Ok(())
    }),
    Fault::new("host-required", "verify-full has an address and no name to verify", |scenario| {
        scenario.unset("host");
        Ok(())
    }),
    Fault::new("tls-not-requested", "sslmode=disable: libpq connects in plaintext", |scenario| {
        scenario.plaintext = true;
        scenario.set("sslmode", "disable");
        Ok(())
    }),
    Fault::new("option-not-supported", "encryption by Kerberos is demanded in place of TLS", |scenario| {
        scenario.set("gssencmode", "require");
        Ok(())
    }),
];
