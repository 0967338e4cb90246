using System.Globalization;
using System.Text;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.History;
using Harepd.Tests.Files;
using Harepd.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.History;

/// <summary>The history's file and its lane: what is written is read again, whatever else the file holds, and a disk that refuses delays nobody.</summary>
public sealed class HistoryTests : IDisposable
{
    private static readonly DateTime At = new(2026, 11, 27, 12, 0, 0, DateTimeKind.Utc);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Decision Promoted(string reason = "10 ms after the lease") => new(DecisionKind.PromotionDone, new Term(7), "1@0/0", "2@0/3000148", reason)
    {
        Took = TimeSpan.FromMilliseconds(10.5),
        Actor = DecisionActor.Operator,
        Timeline = new TimelinePoint(2, new Lsn(0x3000148)),
        Lsn = new Lsn(0x3000200),
        Votes = new VoteCount(2, 1),
    };

    private HistoryLane Lane() => new(_folder.Path, HistoryFile.NodeStem, "node_1", NullLogger.Instance);

    private string File => _folder.File("history.jsonl");

    [Fact]
    public void A_line_says_who_what_when_why_and_how_long_and_leaves_out_what_is_not_known()
    {
        Assert.Equal(
            """{"time":"2026-11-27T12:00:00Z","node":"node_1","kind":"PromotionDone","event":203,"term":7,"actor":"operator","from":"1@0/0","to":"2@0/3000148","reason":"10 ms after the lease","took_ms":10.5,"timeline":2,"switch_lsn":"0/3000148","lsn":"0/3000200","votes_yes":2,"votes_no":1}""",
            Encoding.UTF8.GetString(HistoryLine.Of("node_1", At, Promoted()).ToJson()));
        Assert.Equal(
            """{"time":"2026-11-27T12:00:00Z","node":"w","kind":"Started","event":100,"actor":"daemon"}""",
            Encoding.UTF8.GetString(HistoryLine.Of("w", At, new Decision(DecisionKind.Started, Term.None, "", "", "")).ToJson()));
    }

    [Fact]
    public void What_was_recorded_is_read_again_by_the_next_run()
    {
        using (var lane = Lane())
        {
            lane.Take(At, Promoted());
            lane.Take(At.AddSeconds(1), new Decision(DecisionKind.Stopping, new Term(7), "", "", "a \"quoted\"\nreason"));
        }

        using var next = Lane();
        next.Take(At.AddSeconds(2), new Decision(DecisionKind.Started, new Term(7), "", "", ""));
        Eventually.True(() => next.Recent.Count() == 3, "the earlier run's lines are there");

        Assert.Equal(["PromotionDone", "Stopping", "Started"], next.Recent.Select(line => line.Kind));
        Assert.Equal(HistoryLine.Of("node_1", At, Promoted()), next.Recent.First());
        Assert.Equal("a \"quoted\"\nreason", next.Recent.ElementAt(1).Reason);
    }

    [Fact]
    public void A_torn_line_and_a_strange_one_are_left_out_and_counted_and_what_follows_is_kept()
    {
        var whole = Encoding.UTF8.GetString(HistoryLine.Of("node_1", At, Promoted()).ToJson());
        System.IO.File.WriteAllText(File, $"{whole}\n{{\"time\":true}}\n{whole[..40]}");
        using (var lane = Lane())
        {
            lane.Take(At.AddSeconds(1), Promoted("after the crash"));
        }

        var found = HistoryReader.ReadFolder(_folder.Path);

        Assert.Equal(["10 ms after the lease", "after the crash"], found.Lines.Select(line => line.Reason));
        Assert.Equal((2, null), (found.Damaged, found.Problem));
    }

    [Fact]
    public void A_file_without_one_readable_line_is_set_aside()
    {
        System.IO.File.WriteAllBytes(File, [.. Enumerable.Repeat((byte)0, 100_000)]);
        using (var lane = Lane())
        {
            lane.Take(At, Promoted());
        }

        Assert.Equal(100_000, new FileInfo(File + ".damaged").Length);
        Assert.Single(HistoryReader.Read(File).Lines);
    }

    [Fact]
    public void The_file_is_turned_over_when_it_is_full_and_two_are_kept()
    {
        using (var file = new HistoryFile(_folder.Path, HistoryFile.NodeStem, mostBytes: 2000))
        {
            for (var i = 0; i < 40; i++)
            {
                file.Append([.. HistoryLine.Of("node_1", At.AddSeconds(i), Promoted(i.ToString(CultureInfo.InvariantCulture))).ToJson(), (byte)'\n']);
            }
        }

        var found = HistoryReader.ReadFolder(_folder.Path);

        Assert.Equal(["history.jsonl", "history.old.jsonl"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order());
        Assert.All(Directory.GetFiles(_folder.Path), path => Assert.InRange(new FileInfo(path).Length, 1, 2000));
        Assert.Equal("39", found.Lines[^1].Reason);
        Assert.Equal(found.Lines.Select(line => line.Time), found.Lines.Select(line => line.Time).Order());
    }

    [Fact]
    public void A_folder_that_cannot_be_written_costs_the_file_and_nothing_else()
    {
        // A folder in the file's place: nobody, root included, can write it.
        Directory.CreateDirectory(File);
        using var lane = Lane();
        lane.Take(At, Promoted());

        Eventually.True(() => lane.Dropped == 1, "the line counts as dropped");
        Assert.Equal("PromotionDone", Assert.Single(lane.Recent).Kind);
    }

    /// <summary>Needs a loop device; a container without one cannot show it.</summary>
    [Fact]
    public void Whoever_records_does_not_wait_for_a_frozen_disk_and_what_is_lost_is_counted()
    {
        if (!FreezableDisk.IsPossible)
        {
            return;
        }

        const int many = 10_000;
        var folder = Directory.CreateDirectory(_folder.File("disk")).FullName;
        using var disk = FreezableDisk.Under(folder);
        using var lane = new HistoryLane(folder, HistoryFile.NodeStem, "node_1", NullLogger.Instance);
        lane.Take(At, Promoted());
        Eventually.True(() => HistoryReader.ReadFolder(folder).Lines.Count == 1, "the first line is written");
        disk.Freeze();
        for (var i = 0; i < many; i++)
        {
            lane.Take(At.AddSeconds(i), Promoted());
        }

        // Had anybody waited, this would not be reached: the disk is still frozen.
        Assert.InRange(lane.Dropped, 1, many);
        disk.Thaw();
        Eventually.True(() => HistoryReader.ReadFolder(folder).Lines.Count == many + 1 - lane.Dropped, "the rest is written");
    }

    [Fact]
    public void Memory_is_bounded()
    {
        using var lane = Lane();
        for (var i = 0; i < HistoryLane.Kept + 10; i++)
        {
            lane.Take(At.AddSeconds(i), Promoted(i.ToString(CultureInfo.InvariantCulture)));
        }

        Assert.Equal(HistoryLane.Kept, lane.Recent.Count());
        Assert.Equal("10", lane.Recent.First().Reason);
    }

    [Fact]
    public void A_timeline_has_ended_when_a_later_one_serves_here_or_elsewhere_and_only_once()
    {
        Decision Serving(DecisionKind kind, string to, uint timeline) => new(kind, new Term(timeline), "", to, "") { Timeline = new TimelinePoint(timeline, new Lsn(timeline)) };
        Decision[] decisions =
        [
            Serving(DecisionKind.HolderSeen, "node_2 on 3@0/3", 3),
            Serving(DecisionKind.HolderSeen, "node_2 on 3@0/3", 3),
            Serving(DecisionKind.GateConfirmed, "Fenced", 3),
            Serving(DecisionKind.GateConfirmed, "ReadWrite", 4),
            Serving(DecisionKind.HolderSeen, "node_2 on 5@0/5", 5),
        ];

        var reigns = decisions.Aggregate(Reigns.None, (all, decision) => all.With(HistoryLine.Of("node_1", At, decision)));

        Assert.Equal([(3U, "0/4", "node_1"), (4U, "0/5", "node_2")], reigns.Ended.Select(end => (end.Timeline, end.SwitchLsn, end.NewHolder)));
    }
}
