#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# hub.pl - clients of the hub.
#
#	hub.pl PORT raw			send standard input, print what comes
#	hub.pl PORT stay		say hello, print what comes
#	hub.pl PORT crowd N ROUNDS	N clients, one of whom never reads; ten
#					of the others talk, in rounds, until
#					all of the others have heard all
use strict;
use warnings;
use IO::Socket::INET;
use Socket;

use constant SCORE => 20;
my ($port, $what, @args) = @ARGV;
my $doing = 'beginning';
$SIG{PIPE} = 'IGNORE';
$SIG{TERM} = sub { die "hub.pl: ended while $doing\n" };
$| = 1;

sub dial {
	return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
	    PeerPort => $port) || die "hub.pl: no connection: $!\n";
}

# A connection with little room for what is not read.
sub dial_sleepy {
	socket my $s, PF_INET, SOCK_STREAM, 0 or die;
	setsockopt $s, SOL_SOCKET, SO_RCVBUF, 4096;
	connect $s, sockaddr_in($port, inet_aton('127.0.0.1')) or
	    die "hub.pl: no connection: $!\n";
	syswrite $s, "sleepy\n";
	return $s;
}

# Read a whole number of lines, n or more, and return them.
sub lines {
	my ($s, $n) = @_;
	my $got = '';

	while (($got =~ tr/\n//) < $n) {
		sysread $s, $got, 65536, length $got or
		    die "hub.pl: the hub has closed\n";
	}
	return $got;
}

# Read until the text is there, at the end of a line.
sub hear {
	my ($i, $s, $text) = @_;
	my $got = '';

	until ($got =~ $text) {
		$doing = "guest $i waits for $text, and has heard " .
		    substr $got, -60;
		$got .= lines($s, 1);
	}
}

if ($what eq 'raw') {
	my $s = dial();
	my $got = '';

	local $/;
	syswrite $s, scalar <STDIN>;
	shutdown $s, 1;
	1 while sysread $s, $got, 65536, length $got;
	print $got;
} elsif ($what eq 'stay') {
	my $s = dial();

	syswrite $s, "eve\nhello\n";
	print lines($s, 1);
	$s->blocking(1);
	print while <$s>;
} elsif ($what eq 'crowd') {
	my ($n, $rounds) = @args;
	my $sleepy = dial_sleepy();
	my @all = map { dial() } 2 .. $n;

	# They come by the score.  All of those have come when each has heard
	# himself, and nobody lags behind by more than these few lines when all
	# have heard the last one: to the hub, who lags is one who does not read.
	for (my $first = 0; $first < @all; $first += SCORE) {
		my $last = $first + SCORE - 1;

		$last = $#all if $last > $#all;
		syswrite $all[$_], "guest $_\nhere\n" for $first .. $last;
		for my $i ($first .. $last) {
			hear($i, $all[$i], qr/^<guest $i> here$/m);
		}
		syswrite $all[0], "come $last\n";
		for my $i (0 .. $last) {
			hear($i, $all[$i], qr/^<guest 0> come $last\n\z/m);
		}
	}
	for my $round (1 .. $rounds) {
		my $text = "round $round " . 'z' x 90;
		my $want = join '', sort map { "<guest $_> $text\n" } 0 .. 9;

		syswrite $all[$_], "$text\n" for 0 .. 9;
		for my $s (@all) {
			$doing = "in round $round";
			my $got = join '', sort { $a cmp $b }
			    map { "$_\n" } split /\n/, lines($s, 10);

			die "hub.pl: heard: $got" if $got ne $want;
		}
	}
	print "all heard all\n";
} else {
	die "hub.pl: $what?\n";
}
