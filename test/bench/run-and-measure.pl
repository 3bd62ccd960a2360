# usage: perl run-and-measure.pl PROGRAM [ARGUMENT…]
# Runs a program and writes its exit status, wall, CPU (µs) and peak memory (KiB) to file descriptor 3, as wait4(2)
# has them; node offers no wait4. Starts small, since a child inherits the peak of the process it is forked from.
# Needs nothing beside the interpreter: Debian has perl-base everywhere, and in it there is no Time::HiRes.
use strict;
use warnings;

my %numbers = (x86_64 => { wait4 => 61, clock => 228 }, aarch64 => { wait4 => 260, clock => 113 });
my $machine = `uname -m`;
chomp $machine;
my $calls = $numbers{$machine} or die "run-and-measure.pl: no system call numbers for $machine\n";

sub microseconds {
    my $time = "\0" x 16;
    syscall($calls->{clock}, 1, $time) == 0 or die "clock_gettime: $!\n";    # 1 is CLOCK_MONOTONIC
    my ($seconds, $nanoseconds) = unpack 'qq', $time;
    return $seconds * 1_000_000 + int($nanoseconds / 1000);
}

open my $report, '>&=', 3 or die "file descriptor 3: $!\n";
my $started = microseconds();
my $child   = fork // die "fork: $!\n";
if ($child == 0) {
    close $report;
    exec { $ARGV[0] } @ARGV or exit 127;
}
my $status = "\0" x 4;
my $usage  = "\0" x 144;
my $none   = 0;
syscall($calls->{wait4}, $child, $status, $none, $usage) == $child or die "wait4: $!\n";
my $wall = microseconds() - $started;
my ($user, $user_us, $system, $system_us, $peak) = unpack 'q5', $usage;
printf {$report} "%d %d %d %d\n", unpack('i', $status), $wall,
    ($user + $system) * 1_000_000 + $user_us + $system_us, $peak;
