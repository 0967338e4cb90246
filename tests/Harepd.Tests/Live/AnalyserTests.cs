using Harepd.Core.Model;
using Harepd.Lab.Clients;
using Xunit;

namespace Harepd.Tests.Live;

public sealed class AnalyserTests
{
    private const string First = "127.50.1.1:5432";
    private const string Second = "127.50.1.2:5432";

    [Fact]
    public void A_write_begun_at_the_old_server_after_the_new_one_answered_is_two_writers()
    {
        WriteAttempt[] attempts = [Ack(1, 0, 10, First, 1), Ack(2, 20, 30, Second, 2), Ack(3, 55, 60, First, 1)];
        Assert.Equal(TimeSpan.FromMilliseconds(25), Analyser.TwoWriters(attempts));
    }

    [Fact]
    public void A_server_that_is_primary_again_on_a_later_timeline_is_not_a_second_writer()
    {
        WriteAttempt[] attempts = [Ack(1, 0, 10, First, 1), Ack(2, 20, 30, Second, 2), Ack(3, 40, 50, First, 3), Ack(4, 60, 70, Second, 4)];
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(attempts));
    }

    [Fact]
    public void Two_servers_that_take_turns_on_one_timeline_are_two_writers()
    {
        WriteAttempt[] attempts = [Ack(1, 0, 10, First, 1), Ack(2, 20, 30, Second, 1), Ack(3, 40, 50, First, 1), Ack(4, 60, 70, Second, 1)];
        Assert.Equal(TimeSpan.FromMilliseconds(10), Analyser.TwoWriters(attempts));
    }

    [Fact]
    public void A_write_in_flight_over_the_change_is_not_two_writers()
    {
        WriteAttempt[] attempts = [Ack(1, 0, 10, First, 1), Ack(2, 12, 40, First, 1), Ack(3, 20, 30, Second, 2)];
        Assert.Equal(TimeSpan.Zero, Analyser.TwoWriters(attempts));
    }

    [Fact]
    public void Longest_gap_counts_from_the_last_answer_before_to_the_first_one_after()
    {
        WriteAttempt[] attempts = [Ack(1, 0, 10, First, 1), Fail(2, 20, 25), Ack(3, 100, 110, Second, 2), Ack(4, 120, 121, Second, 2)];
        Assert.Equal(TimeSpan.FromMilliseconds(100), Analyser.LongestGap(attempts, At(15), At(105)));
        Assert.Null(Analyser.LongestGap(attempts, At(5), At(105)));
    }

    [Fact]
    public void Only_loss_that_replication_had_delivered_counts_as_broken_promise()
    {
        WriteAttempt[] attempts = [Ack(1, 0, 10, First, 1, 100), Ack(2, 20, 30, First, 1, 200), Ack(3, 40, 50, First, 1, 300)];
        var lost = Analyser.Lost(attempts, new HashSet<long>());
        var delivered = Analyser.LostThoughDelivered(attempts, lost, new Dictionary<uint, Lsn> { [1] = new(250) });
        Assert.Equal([1L, 2L, 3L], lost.Select(write => write.Id));
        Assert.Equal([1L], delivered.Select(write => write.Id));
    }

    private static Instant At(long milliseconds) => new(milliseconds * 1_000_000);

    private static WriteAttempt Ack(long id, long begin, long end, string server, uint timeline, ulong lsn = 1) =>
        new(id, At(begin), At(end), server, timeline, new Lsn(lsn), "");

    private static WriteAttempt Fail(long id, long begin, long end) => new(id, At(begin), At(end), "", 0, default, "eof");
}
