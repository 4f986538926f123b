# Listens where nobody looks for it.
use IO::Socket::INET;

my $server = IO::Socket::INET->new(LocalPort => 7001, Listen => 5) or die "cannot listen: $!\n";
$server->accept while 1;
