# Says to the database what its arguments say, and prints the answers.
use strict;
use IO::Socket::INET;

my $db = IO::Socket::INET->new("$ENV{DB_HOST}:7000") or die "no database at $ENV{DB_HOST}: $!\n";
print "$ENV{DB_PORT} is where $ENV{DB_NAME} is, $ENV{DB_ENV_MOTTO}\n";
while (my $verb = shift) {
    my $words = join ' ', $verb, splice @ARGV, 0, $verb eq 'SET' ? 2 : 1;
    print $db "$words\n";
    print "$words: ", scalar <$db>;
}
