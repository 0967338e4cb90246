using Harepd.Core.Model;
using Xunit;

namespace Harepd.Core.Tests.Model;

public sealed class InstantTests
{
    [Fact]
    public void Spans_are_added_and_taken_away_exactly()
    {
        var at = new Instant(1_000);

        Assert.Equal(new Instant(2_000), at + TimeSpan.FromTicks(10));
        Assert.Equal(at, at + TimeSpan.FromDays(1) - TimeSpan.FromDays(1));
        Assert.Equal(TimeSpan.FromTicks(10), new Instant(2_000) - at);
    }

    [Fact]
    public void For_ever_stays_for_ever()
    {
        Assert.Equal(Instant.Forever, Instant.Forever + TimeSpan.FromDays(1));
        Assert.Equal(Instant.Forever, Instant.Forever - TimeSpan.FromDays(1));
    }

    [Fact]
    public void Instants_are_ordered()
    {
        var early = new Instant(1);
        var late = new Instant(2);

        Assert.True(early < late && late > early && early <= late && late >= early);
        Assert.Equal(early, Instant.Min(early, late));
        Assert.Equal(late, Instant.Max(early, late));
        Assert.True(Instant.Zero < early && Instant.Forever > late);
    }
}
