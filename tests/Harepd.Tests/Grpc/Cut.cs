using System.Diagnostics;
using Xunit;

namespace Harepd.Tests.Grpc;

/// <summary>A cut between two loopback addresses: packets vanish both ways, as with a pulled cable. Heals when disposed.</summary>
internal sealed class Cut : IDisposable
{
    private readonly string _table = $"harepd_cut_{Environment.ProcessId}_{Guid.NewGuid():N}";

    public Cut(string one, string other)
    {
        Run($"add table inet {_table}");
        Run($"add chain inet {_table} out {{ type filter hook output priority 0; }}");
        Run($"add rule inet {_table} out ip saddr {one} ip daddr {other} drop");
        Run($"add rule inet {_table} out ip saddr {other} ip daddr {one} drop");
    }

    /// <summary>Cutting needs root and nft; a test without them may pass by on a laptop, never on CI.</summary>
    public static bool IsPossible =>
        (Environment.UserName == "root" && File.Exists("/usr/sbin/nft")) || Environment.GetEnvironmentVariable("CI") == "true";

    public void Dispose() => Run($"delete table inet {_table}");

    private static void Run(string command)
    {
        using var nft = Process.Start("/usr/sbin/nft", command.Split(' '));
        nft.WaitForExit();
        Assert.Equal(0, nft.ExitCode);
    }
}
