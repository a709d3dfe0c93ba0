#!/usr/bin/perl
# A server as perlipc describes it: accepts, forks for each client, and a handler of SIGCHLD reaps.
# usage: forking-server.pl time|asked|session|exec PORT [PROGRAM ARGUMENT...]
#   time     4 bytes (RFC 868)
#   asked    a greeting, then waits for a line
#   session  a prompt and commands, one in a line, until quit
#   exec     runs PROGRAM with the client as standard input and output
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ":sys_wait_h";
use Socket qw(SOMAXCONN);

my ($what, $port, @program) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port, Proto => "tcp", Listen => 4096, ReuseAddr => 1)
  or die "cannot listen: $@";
$| = 1;
printf "ready 127.0.0.1 %d\n", $server->sockport;

$SIG{CHLD} = sub { 1 while waitpid(-1, WNOHANG) > 0; };
while (1) {
  my $client = $server->accept or next;    # interrupted by the handler
  my $pid = fork;
  die "cannot fork: $!" unless defined $pid;
  if ($pid) { close $client; next; }
  close $server;
  $SIG{CHLD} = "DEFAULT";
  serve($client);
  exit 0;
}

sub serve {
  my ($client) = @_;
  $client->autoflush(1);
  if ($what eq "time") {
    print $client pack("N", time + 2208988800);
  } elsif ($what eq "asked") {
    print $client "Welcome to the forking server of Perl. Say something.\r\n";
    <$client>;
  } elsif ($what eq "session") {
    print $client "Welcome to the forking server of Perl.\r\nCommand? ";
    while (<$client>) {
      next unless /\S/;
      if    (/^(quit|exit)\b/i) { last }
      elsif (/^(date|time)\b/i) { printf $client "%s\r\n", scalar localtime }
      else                      { print $client "Commands: quit date\r\n" }
    } continue {
      print $client "Command? ";
    }
  } else {
    open STDIN,  "<&", $client or die "dup: $!";
    open STDOUT, ">&", $client or die "dup: $!";
    exec @program or die "exec: $!";
  }
}
