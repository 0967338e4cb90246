using System.Collections.Immutable;
using System.Diagnostics;
using Harepd.Cli;
using Harepd.Haproxy;
using Harepd.Tests.Cli;
using Harepd.Tests.Config;
using Xunit;

namespace Harepd.Tests.Haproxy;

public sealed class HaproxyConfigTextTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("harepd-haproxy-text-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("pgsql", "ro", "unix")]
    [InlineData("pgsql", "ro", "none")]
    [InlineData("pgsql", "", "unix,master")]
    [InlineData("http", "ro", "unix")]
    [InlineData("http", "", "none")]
    [InlineData("https", "ro", "unix")]
    [InlineData("none", "ro", "tcp")]
    [InlineData("pgsql", "ro", "unix,hold")]
    [InlineData("pgsql", "ro", "tcp,hold")]
    public void Haproxy_takes_every_variant_without_a_warning(string check, string reads, string sockets)
    {
        var plan = Plan(sockets) with
        {
            ReadBackend = reads.Length > 0 ? "pg_read" : null,
            IsHttps = check == "https",
            Check = check is "http" or "https" ? HaproxyCheck.Http : HaproxyCheck.Pgsql,
            HttpPort = 8008,
            WriteUser = check == "none" ? null : "harw",
        };

        // Before the first reload there is no state file, and HAProxy says so; that is the one warning to expect.
        File.WriteAllText(Path.Combine(_folder, "state"), "1\n");

        var (exitCode, said) = Check(HaproxyConfigText.Write(plan));

        Assert.True(exitCode == 0, said);
        Assert.DoesNotContain("WARNING", said, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sample_is_what_the_generator_writes()
    {
        var plan = Plan("none") with
        {
            Cluster = "main",
            Endpoints = [Endpoint("unix:/run/haproxy/admin.sock,master:unix:/run/haproxy-master.sock,hold:unix:/run/haproxy/hold.sock")],
            Servers = [new HaproxyServer("node_1", "10.21.57.61", 5432), new HaproxyServer("node_2", "10.21.57.62", 5432)],
        };

        var sample = File.ReadAllText(Path.Combine(House.Repository.Root, "conf", "haproxy.cfg"));

        Assert.Equal(HaproxyConfigText.Write(plan), sample);
    }

    [Fact]
    public void A_host_name_that_cannot_be_resolved_does_not_keep_haproxy_from_starting()
    {
        var plan = Plan("unix") with { Servers = [new HaproxyServer("a", "no-such-host.invalid", 5432), new HaproxyServer("b", "::1", 5432)] };

        var (exitCode, said) = Check(HaproxyConfigText.Write(plan));

        Assert.True(exitCode == 0, said);
    }

    [Fact]
    public void A_haproxy_that_starts_lets_nobody_write_until_it_is_told()
    {
        using var a = new NamedServer("a");
        using var b = new NamedServer("b");
        using var haproxy = Real(a, b);
        Assert.Null(Caller.Ask(haproxy.Write));

        using var bench = new LaneBench(haproxy.Socket);
        bench.Do(LaneBench.Write(1));

        Assert.Equal("a", Caller.Ask(haproxy.Write));
    }

    [Fact]
    public void A_saved_state_keeps_the_routes_over_a_reload()
    {
        using var a = new NamedServer("a");
        using var b = new NamedServer("b");
        using var haproxy = Real(a, b);
        using (var bench = new LaneBench(haproxy.Socket))
        {
            bench.Do(LaneBench.Write(1));
        }

        File.WriteAllText(Path.Combine(_folder, "state"), haproxy.Command("show servers state"));
        haproxy.Reload();

        Assert.Equal("a", Caller.Ask(haproxy.Write));
        Assert.NotEqual(0, haproxy.Admin("wr", "b") & 1);
    }

    [Fact]
    public void Without_a_saved_state_a_reload_closes_the_writes()
    {
        using var a = new NamedServer("a");
        using var b = new NamedServer("b");
        using var haproxy = Real(a, b);
        using (var bench = new LaneBench(haproxy.Socket))
        {
            bench.Do(LaneBench.Write(1));
        }

        haproxy.Reload();

        Assert.Null(Caller.Ask(haproxy.Write));
    }

    [Fact]
    public async Task A_planned_move_holds_clients_and_check_sees_that_it_can()
    {
        using var a = new NamedServer("a");
        using var b = new NamedServer("b");
        using var haproxy = Real(a, b, ",hold:unix:{0}/hold.sock");
        using (var door = new HaproxyDoor(Endpoint($"unix:{haproxy.Socket},hold:unix:{haproxy.Folder}/hold.sock"), new HaproxyTarget("wr", "rd", "a"), TimeSpan.FromSeconds(2)))
        {
            Assert.Equal("", door.TryHold());
        }

        using (var door = new HaproxyDoor(Endpoint($"unix:{haproxy.Socket},hold:unix:{haproxy.Folder}/other.sock"), new HaproxyTarget("wr", "rd", "a"), TimeSpan.FromSeconds(2)))
        {
            Assert.Contains("other.sock", door.TryHold(), StringComparison.Ordinal);
        }

        using var bench = new LaneBench($"unix:{haproxy.Socket},hold:unix:{haproxy.Folder}/hold.sock");
        bench.Do(LaneBench.Write(1));
        var held = new TaskCompletionSource<(bool, string)>();
        bench.Lane.EngageHold(new HoldDesire(1, new Core.Model.Term(1), LaneBench.In(1), (isHeld, detail) => held.TrySetResult((isHeld, detail))));
        Assert.Equal((true, "held"), await held.Task);

        Assert.Equal("a", Caller.Ask(haproxy.Write, "\0\0\0\b"));
    }

    [Fact]
    public async Task The_command_prints_what_haproxy_takes()
    {
        using var file = new TemporaryConfig(TemporaryConfig.With("server: [\"10.0.0.9\"]", "server: [\"10.0.0.9\"]\n    readBackend: pg_read\n    endpoints: [\"unix:/run/haproxy/admin.sock\"]")
            .Replace("hbaConfig: \"/etc/postgresql/15/main/pg_hba.conf\"", "hbaConfig: \"/etc/hostname\"", StringComparison.Ordinal));

        var answer = await Shell.RunAsync("haproxy-config", "-f", file.File, "--server", "node_1=10.0.0.1:5432", "--server", "node_2=[fd00::2]:5433", "--write-bind", "*:6000");

        Assert.Equal((ExitCodes.Ok, ""), (answer.ExitCode, answer.Error));
        Assert.Contains("server node_1 10.0.0.1:5432 disabled\n", answer.Output, StringComparison.Ordinal);
        Assert.Contains("server node_2 [fd00::2]:5433", answer.Output, StringComparison.Ordinal);
        Assert.Contains("bind *:6000\n", answer.Output, StringComparison.Ordinal);
        var (exitCode, said) = Check(answer.Output.Replace("/run/haproxy/", _folder + "/", StringComparison.Ordinal));
        Assert.True(exitCode == 0, said);
    }

    [Fact]
    public async Task Without_names_the_neighbours_are_guessed_and_marked()
    {
        using var file = new TemporaryConfig(TemporaryConfig.Minimal.Replace("/etc/postgresql/15/main/pg_hba.conf", "/etc/hostname", StringComparison.Ordinal));

        var answer = await Shell.RunAsync("haproxy-config", "-f", file.File);

        Assert.Equal(ExitCodes.Ok, answer.ExitCode);
        Assert.Contains("server node_1 10.0.0.1:5432\n", answer.Output, StringComparison.Ordinal);
        Assert.Contains("is a guess", answer.Output, StringComparison.Ordinal);
        Assert.Contains("server node-10.0.0.2 10.0.0.2:5432\n", answer.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--server", "10.0.0.1:5432")]
    [InlineData("--server", "a b=10.0.0.1:5432")]
    [InlineData("--server", "hold=10.0.0.1:5432")]
    [InlineData("--server", "a=10.0.0.1")]
    [InlineData("--check", "ldap")]
    public async Task A_wrong_choice_is_a_fault_of_the_command_line(string option, string value)
    {
        var answer = await Shell.RunAsync("haproxy-config", "-f", "/nowhere", option, value);

        Assert.Equal(ExitCodes.Usage, answer.ExitCode);
    }

    private HaproxyPlan Plan(string sockets) => new()
    {
        Cluster = "shop",
        WriteBackend = "pg_write",
        ReadBackend = "pg_read",
        Servers = [new HaproxyServer("node_1", "10.0.0.1", 5432), new HaproxyServer("node_2", "10.0.0.2", 5432, IsNameGuessed: true)],
        WriteUser = "harw",
        ReadUser = "haro",
        Endpoints = sockets switch
        {
            "none" => [],
            "unix,hold" => [Endpoint($"unix:{_folder}/admin.sock,hold:unix:{_folder}/hold.sock")],
            "tcp,hold" => [Endpoint("tcp:127.0.0.1:19999,hold:tcp:127.0.0.1:19998"), Endpoint("tcp:10.9.9.9:19999,hold:tcp:10.9.9.9:19998")],
            "tcp" => [Endpoint("tcp:127.0.0.1:19999"), Endpoint("tcp:10.9.9.9:19999")],
            "unix,master" => [Endpoint($"unix:{_folder}/admin.sock,master:unix:{_folder}/m.sock")],
            _ => [Endpoint($"unix:{_folder}/admin.sock")],
        },
    };

    private static HaproxyEndpoint Endpoint(string text)
    {
        Assert.True(HaproxyEndpoint.TryParse(text, out var endpoint, out var reason), reason);
        return endpoint!;
    }

    private (int ExitCode, string Said) Check(string text)
    {
        var path = Path.Combine(_folder, "haproxy.cfg");
        File.WriteAllText(path, text.Replace(HaproxyConfigText.StateFile, Path.Combine(_folder, "state"), StringComparison.Ordinal));
        using var process = Process.Start(new ProcessStartInfo("haproxy", ["-c", "-f", path])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var said = process.StandardError.ReadToEnd() + process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said + "\n" + text);
    }

    /// <summary>The generated text itself, run by a real HAProxy; the check is left out because the servers speak no PostgreSQL.</summary>
    private RealHaproxy Real(NamedServer a, NamedServer b, string more = "") => RealHaproxy.Whole(self =>
        HaproxyConfigText.Write(Plan("unix") with
        {
            WriteBackend = "wr",
            ReadBackend = "rd",
            WriteUser = null,
            ReadUser = null,
            Endpoints = [Endpoint($"unix:{self.Socket}{more.Replace("{0}", self.Folder, StringComparison.Ordinal)}")],
            HoldSink = self.Tcp.ToString(),
            Servers = ImmutableArray.Create(
                new HaproxyServer("a", a.Address.ToString(), a.Port), new HaproxyServer("b", b.Address.ToString(), b.Port)),
            WriteBind = self.Write.ToString(),
            ReadBind = self.Read.ToString(),
        }).Replace(HaproxyConfigText.StateFile, Path.Combine(_folder, "state"), StringComparison.Ordinal));
}
