//! Faults of the connection string and its surroundings.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("conninfo-syntax", "the connection string has a quote that does not end", |scene| {
        scene.unset("password");
        scene.end_string_with(" password='open sesame");
        Ok(())
    }),
    Fault::new("conninfo-unknown-option", "the connection string has a misspelt option", |scene| {
        scene.unset("sslrootcert");
        scene.end_string_with(" sslrootcrt=root.crt");
        Ok(())
    }),
    Fault::new("conninfo-invalid-value", "sslmode has a value that libpq does not know", |scene| {
        scene.set("sslmode", "verify_full");
        Ok(())
    }),
    Fault::new("conninfo-host-malformed", "host holds a whole address as a browser would take it", |scene| {
        scene.unset("hostaddr");
        scene.set("host", "https://db.example");
        Ok(())
    }),
    Fault::new("service-not-found", "the service file has no such section", |scene| {
        let path = scene.directory.write("services.conf", "[orders]\nhost=db.example\n")?;
        scene.export("PGSERVICEFILE", path);
        scene.set("service", "billing");
        Ok(())
    }),
    Fault::new("host-required", "verify-full has an address and no name to verify", |scene| {
        scene.unset("host");
        Ok(())
    }),
    Fault::new("tls-not-requested", "sslmode=disable: libpq connects in plaintext", |scene| {
        scene.plaintext = true;
        scene.set("sslmode", "disable");
        Ok(())
    }),
    Fault::new("option-not-supported", "encryption by Kerberos is demanded in place of TLS", |scene| {
        scene.set("gssencmode", "require");
        Ok(())
    }),
];
