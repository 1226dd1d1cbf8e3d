//! Other database systems than PostgreSQL, known by the scheme of their URLs or by the end of a provider's host name.

/// The name of a system, the schemes of its URLs, and the ends of its host names, each with its leading dot.
type System = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Ends of names: <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>,
/// <https://www.mongodb.com/docs/manual/reference/connection-string/>,
/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Endpoints.html>.
const SYSTEMS: &[System] = &[
    (
        "MySQL or MariaDB",
        &["mysql", "mysql2", "mariadb"],
        &[".mysql.database.azure.com", ".mariadb.database.azure.com"],
    ),
    ("Microsoft SQL Server", &["sqlserver", "mssql"], &[".database.windows.net", ".sql.azuresynapse.net"]),
    ("MongoDB", &["mongodb", "mongodb+srv"], &[".mongodb.net", ".mongo.cosmos.azure.com"]),
    (
        "Redis",
        &["redis", "rediss"],
        &[".redis.cache.windows.net", ".redis.azure.net", ".cache.amazonaws.com"],
    ),
    ("Oracle Database", &["oracle"], &[]),
    ("Azure Cosmos DB", &[], &[".documents.azure.com"]),
];

/// The system whose URLs begin with a scheme, written without `://`.
pub fn system_by_scheme(scheme: &str) -> Option<&'static str> {
    SYSTEMS
        .iter()
        .find(|(_, schemes, _)| schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)))
        .map(|(name, ..)| *name)
}

/// The system whose servers have names that end so. Case does not matter.
pub fn system_by_host(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    SYSTEMS
        .iter()
        .find(|(.., suffixes)| suffixes.iter().any(|suffix| host.ends_with(suffix)))
        .map(|(name, ..)| *name)
}
