# Keeps words by name for as long as it runs: SET name word, GET name.
use strict;
use IO::Socket::INET;

$| = 1;
sleep 1;  # whoever comes before it listens is turned away
my $server = IO::Socket::INET->new(LocalPort => 7000, Listen => 5, ReuseAddr => 1) or die "cannot listen: $!\n";
print "ready, $ENV{MOTTO}\n";
my %kept;
while (my $client = $server->accept) {
    while (my $line = <$client>) {
        my ($verb, $name, $word) = split ' ', $line;
        $kept{$name} = $word if $verb eq 'SET';
        print $client ($kept{$name} // 'nothing'), "\n";
    }
}
