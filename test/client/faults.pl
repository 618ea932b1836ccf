#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# faults.pl - clients that a server would rather not have.
#
#	faults.pl PROTOCOL PORT crowd N FILE	N clients at once, who all wait
#			until FILE says that there is no room, and then leave
#			as soon as each has its answer: prints how many had one
#	faults.pl PROTOCOL PORT silent N	N clients say half of a request
#			and no more, until standard input ends
#	faults.pl PROTOCOL PORT reset N SEED	N clients ask for much, read
#			some of it or nothing, and are gone by a reset
#	faults.pl PROTOCOL PORT nonsense N SEED	N clients send what makes no
#			sense, and read or do not read what comes
#
# PROTOCOL is http, kv or hub.
use strict;
use warnings;
use Socket;

my ($protocol, $port, $what, @args) = @ARGV;
my %requests = (
	http => "GET / HTTP/1.1\r\nHost: weft\r\n\r\n",
	kv => "PING\r\n",
	hub => "ann\nhello\n");
my %much = (
	http => $requests{http} x 500,
	kv => "SET a " . 'x' x 60000 . "\r\n" . "GET a\r\n" x 100,
	hub => "ann\n" . ('hello, hello' x 30 . "\n") x 300);
my $request = $requests{$protocol};
$SIG{PIPE} = 'IGNORE';
$| = 1;

sub dial {
	socket my $s, PF_INET, SOCK_STREAM, 0 or die "faults.pl: $!\n";
	connect $s, sockaddr_in($port, inet_aton('127.0.0.1')) or
	    die "faults.pl: no connection: $!\n";
	return $s;
}

# Not more than what goes out at once.
sub put_some {
	my ($s, $text) = @_;

	send $s, $text, MSG_DONTWAIT;
}

sub crowd {
	my ($n, $file) = @_;
	my @clients = map { dial() } 1 .. $n;
	my $full = '';
	my $answered = 0;

	put_some($_, $request) for @clients;
	until ($full =~ /for now/) {
		open my $f, '<', $file or die;
		local $/;
		$full = <$f>;
		select undef, undef, undef, 0.01;
	}
	# In the order in which they have come.
	for (@clients) {
		my $bytes = sysread $_, my $got, 65536;
		$answered++ if $bytes;
		close $_;
	}
	print "$answered\n";
}

sub silent {
	my ($n) = @_;
	my @clients = map { dial() } 1 .. $n;

	put_some($_, substr $request, 0, 3) for @clients;
	print "there\n";
	1 while <STDIN>;
}

sub reset_some {
	my ($n, $seed) = @_;

	srand $seed;
	for my $i (1 .. $n) {
		my $s = dial();

		put_some($s, $much{$protocol});
		sysread $s, my $got, 1 + rand 20000 if $i % 3;
		setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
		close $s;
	}
	print "done\n";
}

# A request, or several, with some bytes changed; or bytes without any sense.
sub nonsense {
	my $text = $request x (1 + rand 3);

	return join '', map { chr rand 256 } 1 .. 1 + rand 500
	    if rand 4 < 1;
	substr($text, rand length $text, 1) = chr rand 256
	    for 1 .. 1 + rand 5;
	return $text;
}

sub pester {
	my ($n, $seed) = @_;

	srand $seed;
	for my $i (1 .. $n) {
		my $s = dial();

		put_some($s, nonsense());
		shutdown $s, 1 if $i % 3;
		if ($i % 3 == 1) {
			1 while sysread $s, my $got, 65536;
		}
		close $s;
	}
	print "done\n";
}

crowd(@args) if $what eq 'crowd';
silent(@args) if $what eq 'silent';
reset_some(@args) if $what eq 'reset';
pester(@args) if $what eq 'nonsense';
