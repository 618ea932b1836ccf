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

my ($port, $what, @args) = @ARGV;
$SIG{PIPE} = 'IGNORE';
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
	syswrite $all[$_], "guest $_\n" for 0 .. $#all;

	# All are there when each has heard himself.
	for my $i (0 .. $#all) {
		my $got = '';

		syswrite $all[$i], "here\n";
		$got .= lines($all[$i], 1) until $got =~ /^<guest $i> here$/m;
	}
	# The last one has heard one; the first ones all: read the rest.
	syswrite $all[0], "begin\n";
	for my $s (@all) {
		my $got = '';

		$got .= lines($s, 1) until $got =~ /begin\n\z/;
	}
	for my $round (1 .. $rounds) {
		my $text = "round $round " . 'z' x 90;
		my $want = join '', sort map { "<guest $_> $text\n" } 0 .. 9;

		syswrite $all[$_], "$text\n" for 0 .. 9;
		for my $s (@all) {
			my $got = join '', sort { $a cmp $b }
			    map { "$_\n" } split /\n/, lines($s, 10);

			die "hub.pl: heard: $got" if $got ne $want;
		}
	}
	print "all heard all\n";
} else {
	die "hub.pl: $what?\n";
}
