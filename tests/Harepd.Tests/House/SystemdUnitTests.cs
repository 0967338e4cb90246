using Harepd.Tests.Files;
using Xunit;

namespace Harepd.Tests.House;

/// <summary>The units, judged by systemd itself.</summary>
public sealed class SystemdUnitTests : IDisposable
{
    private const string Analyze = "/usr/bin/systemd-analyze";
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Units() => [.. Repository.Files(".service")];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Units))]
    public void Systemd_finds_no_fault_in_a_unit(string unit)
    {
        if (IsThere())
        {
            Assert.Empty(Command.Run(Analyze, "verify", "--man=no", Copy(unit)));
        }
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void A_unit_has_the_least_rights(string unit)
    {
        if (IsThere())
        {
            // Fails by its exit code when the exposure is over 2.5 of 10; an ordinary unit has 9.
            Command.Run(Analyze, "security", "--offline=true", "--threshold=25", Copy(unit));
        }
    }

    [Theory]
    [InlineData("systemd/harepd.service")]
    [InlineData("systemd/harepd-server.service")]
    [InlineData("systemd/harepd-client.service")]
    public void A_daemon_is_restarted_for_ever_but_for_what_a_restart_cannot_mend(string unit)
    {
        var lines = Repository.Lines(unit);

        Assert.Contains("Type=notify", lines);
        Assert.Contains("Restart=always", lines);
        Assert.Contains("StartLimitIntervalSec=0", lines);
        Assert.Contains($"RestartPreventExitStatus={Harepd.Cli.ExitCodes.Usage} {Harepd.Cli.ExitCodes.Config}", lines);
        Assert.Contains(lines, line => line.StartsWith("WatchdogSec=", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("systemd/harepd.service")]
    [InlineData("systemd/harepd-server.service")]
    public void What_a_voter_remembers_outlives_a_restart_of_its_unit(string unit)
    {
        Assert.Contains("RuntimeDirectoryPreserve=yes", Repository.Lines(unit));
    }

    private static bool IsThere()
    {
        var isThere = File.Exists(Analyze);
        Assert.True(isThere || Environment.GetEnvironmentVariable("CI") != "true", "systemd-analyze is missing: apt-get install systemd");
        return isThere;
    }

    // verify insists on programs that exist, and the daemon need not be installed here.
    private string Copy(string unit)
    {
        var copy = _folder.File(Path.GetFileName(unit));
        File.WriteAllText(copy, Repository.Text(unit).Replace("/usr/bin/harepd", "/bin/true", StringComparison.Ordinal));
        return copy;
    }
}
