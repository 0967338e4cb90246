using Harepd.Runtime;
using Xunit;

namespace Harepd.Tests.Runtime;

public sealed class RehearsalTests
{
    [Fact]
    public void The_rehearsal_gets_as_far_as_a_lease_and_its_release()
    {
        var steps = Rehearsal.Play();

        Assert.InRange(steps, 100, 399);
    }
}
