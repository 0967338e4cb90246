using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Runtime;
using Harepd.Tests.Files;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.Runtime;

/// <summary>What a voter knows after its process was started again on the same boot.</summary>
public sealed class VoterMemoryTests
{
    public static TheoryData<bool, bool> Notes => new() { { false, false }, { true, false }, { true, true } };

    [Theory]
    [MemberData(nameof(Notes))]
    public void The_note_on_what_a_holder_waits_for_is_resumed(bool isNoted, bool isStated)
    {
        using var folder = new TemporaryFolder();
        var ballot = new Ballot(7, new MemberId("a:1"), new Incarnation(3));
        var voter = new VoterState
        {
            Highest = ballot,
            Note = isNoted ? new SynchronyNote(ballot, new SystemId(5), new TimelinePoint(2, new Lsn(9)), isStated ? new Synchrony(1, ["b", "c"]) : null) : null,
        };

        using (var store = Open(folder.Path))
        {
            Assert.True(store.Save(new Effect.SaveMemory(voter, null)));
        }

        using var again = Open(folder.Path);
        Assert.Equal(voter.Note, again.ReadVoter()!.Note);
        Assert.Equal(voter.Highest, again.ReadVoter()!.Highest);
    }

    private static MemoryStore Open(string folder) =>
        MemoryStore.TryOpen(folder, folder, new MemoryScope("boot", "c", "a:1", 1, 2, 3), hasVoter: true, hasCandidate: false, NullLogger.Instance, out _)!;
}
