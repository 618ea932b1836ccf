#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# kv.pl - clients of kv_server that redis-cli is too well-behaved for.
#
#	kv.pl PORT raw			send standard input, print what comes
#	kv.pl PORT many N		N connections at once: how many PONGs
#	kv.pl PORT slow FILE		subscribe, make FILE, read nothing
#					until FILE is gone; bytes, and the end
#	kv.pl PORT flood N SIZE		subscribe, publish N messages of SIZE
#					bytes, each when the last one is there:
#					most and least receivers, how many came
#	kv.pl PORT garbage N SEED	N connections that send nonsense
#	kv.pl PORT unread N		send N GETs, read nothing, for ever
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $what, @args) = @ARGV;
$SIG{PIPE} = 'IGNORE';
$| = 1;

sub dial {
	return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
	    PeerPort => $port) || die "kv.pl: no connection: $!\n";
}

sub request {
	return "*" . @_ . "\r\n" . join '',
	    map { "\$" . length($_) . "\r\n$_\r\n" } @_;
}

# All that comes until the server closes.
sub rest {
	my ($s) = @_;
	my $got = '';

	1 while sysread $s, $got, 65536, length $got;
	return $got;
}

sub put {
	my ($s, $data) = @_;

	while (length $data) {
		my $n = syswrite $s, $data;
		return 0 unless $n;
		substr $data, 0, $n, '';
	}
	return 1;
}

sub raw {
	my $s = dial();
	local $/;

	put($s, scalar <STDIN>);
	shutdown $s, 1;
	print rest($s);
}

sub many {
	my ($n) = @_;
	my @s = map { dial() } 1 .. $n;
	my $pongs = 0;

	put($_, "PING\r\n") for @s;
	for (@s) {
		my $got = <$_>;
		$pongs++ if defined $got && $got eq "+PONG\r\n";
	}
	print "$pongs\n";
}

sub slow {
	my ($file) = @_;
	my $s = dial();
	my ($bytes, $n, $got) = (0, 0, '');

	put($s, request('SUBSCRIBE', 'news'));
	sysread $s, $got, 13;
	open my $f, '>', $file or die;
	close $f;
	select undef, undef, undef, 0.02 while -e $file;
	$bytes += $n while $n = sysread $s, $got, 65536;
	print "$bytes ", defined $n ? 'end' : 'reset', "\n";
}

sub flood {
	my ($n, $size) = @_;
	my $s = dial();
	my $sub = dial();
	my $message = request('PUBLISH', 'news', 'x' x $size);
	my ($least, $most, $came) = (1e9, 0, 0);

	put($sub, request('SUBSCRIBE', 'news'));
	1 until <$sub> =~ /^:1/;
	for (1 .. $n) {
		put($s, $message);
		my ($sent) = <$s> =~ /^:(\d+)/;
		$least = $sent if $sent < $least;
		$most = $sent if $sent > $most;
		my @lines = map { scalar <$sub> } 1 .. 7;
		$came++ if $lines[2] =~ /^message/;
	}
	print "$most $least $came\n";
}

# Requests with something wrong in them, and bytes without any sense.
sub nonsense {
	my $kind = int rand 6;
	my @words = qw(SET GET MSET EXPIRE SUBSCRIBE INCR KEYS APPEND CONFIG);
	my @args = map { join '', map { chr rand 256 } 1 .. rand 20 }
	    1 .. rand 5;
	my $good = request($words[rand @words], @args);

	return join '', map { chr rand 256 } 1 .. rand 200 if $kind == 0;
	return substr $good, 0, rand length $good if $kind == 1;
	return '*' . int(rand 2e9) . "\r\n\$" . int(rand 2e9) . "\r\n"
	    if $kind == 2;
	return "GET \"a\\x4" . ("'" x rand 4) . "\"\r\n" if $kind == 3;
	substr($good, rand length $good, 1) = chr rand 256 if $kind == 4;
	return $good;
}

sub garbage {
	my ($n, $seed) = @_;

	srand $seed;
	for (1 .. $n) {
		my $s = dial();

		put($s, join '', map { nonsense() } 0 .. rand 4);
		shutdown $s, 1;
		rest($s) if rand 2 > 1;
	}
	print "done\n";
}

sub unread {
	my ($n) = @_;
	my $s = dial();

	put($s, request('GET', 'large')) for 1 .. $n;
	print "sent\n";
	sleep 1000;
}

{
	no strict 'refs';
	die "kv.pl: $what?\n" unless defined &$what;
	&$what(@args);
}
