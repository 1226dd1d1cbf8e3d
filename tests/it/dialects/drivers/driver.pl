# Connects with each string of a file and says what came of it, a line each.
use strict;
use warnings;
use DBI;
$| = 1;
open(my $strings, '<', $ARGV[0]) or die;
while (my $text = <$strings>) {
    chomp $text;
    my $found = eval {
        my $connection = DBI->connect($text, undef, undef, { RaiseError => 1, PrintError => 0 });
        my ($ssl) = $connection->selectrow_array('select ssl::text from pg_stat_ssl where pid = pg_backend_pid()');
        $connection->disconnect;
        $ssl;
    };
    my $error = $@;
    $error =~ s/\s+/ /g;
    print defined $found ? ($found eq 'true' ? "tls\n" : "plaintext\n") : "refused $error\n";
}
