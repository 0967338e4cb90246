using Harepd.Core.Model;
using Harepd.Lab.Servers;
using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>The primary is cut off: it shuts itself before anybody else may be opened.</summary>
[Collection(MachineTests.Name)]
public sealed class IsolationTests(MachineCluster machines)
{
    [NetworkFact]
    public async Task A_primary_cut_off_with_its_clients_shuts_itself_before_the_standby_is_opened()
    {
        await using var run = await machines.BeginAsync("primary cut off, with a HAProxy and clients on its side");
        var (old, next) = (run.Sides.Primary, run.Sides.Standby);
        await next.StartDaemonAsync();
        await run.Sides.Network.CutAsync(run.Sides.Near, run.Sides.Far);
        run.Strike();

        await run.WaitForWriteAsync(run.Far, next);
        Assert.Equal(Gate.Fenced, GateOnDisk.Of(old.Server));
        await run.Sides.Network.HealAsync();
        await run.WaitForWriteAsync(run.Near, next, afterSeconds: 2);
        await run.JudgeAsync(next);
    }
}
