<?php
// Connects with each string of a file and says what came of it, a line each.
foreach (file($argv[1], FILE_IGNORE_NEW_LINES) as $text) {
    try {
        $connection = new PDO($text);
        $found = $connection->query('select ssl::text from pg_stat_ssl where pid = pg_backend_pid()')->fetchColumn();
        $connection = null;
        echo $found === 'true' ? "tls\n" : "plaintext\n";
    } catch (Throwable $error) {
        echo 'refused ', preg_replace('/\s+/', ' ', $error->getMessage()), "\n";
    }
}
