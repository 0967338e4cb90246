using Harepd.Cli;
using Harepd.Clock;
using Harepd.Files;
using Xunit;

namespace Harepd.Tests.Cli;

public sealed class HbaCommandTests
{
    [Fact]
    public async Task The_file_as_it_would_become_goes_to_the_output_and_nothing_is_touched()
    {
        using var node = new DataNode("127.20.10.1", start: false);
        var before = node.Hba;

        var answer = await Shell.RunAsync("hba", "-f", node.ConfigFile, "--gate", "readwrite");

        Assert.Equal(ExitCodes.Ok, answer.ExitCode);
        Assert.Contains("host harw harw 127.20.0.9/32 md5\nhost haro haro 127.20.0.9/32 md5\n", answer.Output, StringComparison.Ordinal);
        Assert.EndsWith(before, answer.Output, StringComparison.Ordinal);
        Assert.Contains("+host harw harw 127.20.0.9/32 md5", answer.Error, StringComparison.Ordinal);
        Assert.Equal(before, node.Hba);
    }

    [Theory]
    [InlineData("readwrite", "md5", "md5")]
    [InlineData("readonly", "reject", "md5")]
    [InlineData("fenced", "reject", "reject")]
    public async Task Apply_makes_the_running_server_obey(string gate, string writer, string reader)
    {
        using var node = new DataNode("127.20.11.1");

        var answer = await Shell.RunAsync("hba", "-f", node.ConfigFile, "--gate", gate, "--apply");

        Assert.Equal((ExitCodes.Ok, ""), (answer.ExitCode, answer.Error));
        Assert.Equal($"{writer} {reader}", node.Server.Query("select string_agg(auth_method, ' ' order by line_number) from pg_hba_file_rules where database[1] in ('harw', 'haro')"));
    }

    [Fact]
    public async Task A_running_daemon_alone_opens_the_gate()
    {
        using var node = new DataNode("127.20.12.1");
        Directory.CreateDirectory(node.RunDir);
        File.WriteAllText(Path.Combine(node.RunDir, "candidate.lock"), "");
        using var daemon = FileLock.TryTake(Path.Combine(node.RunDir, "candidate.lock"), BootClock.Now, out _);
        var before = node.Hba;

        var answer = await Shell.RunAsync("hba", "-f", node.ConfigFile, "--gate", "readwrite", "--apply");

        Assert.Equal((ExitCodes.Temporary, before), (answer.ExitCode, node.Hba));
        Assert.Equal(ExitCodes.Ok, (await Shell.RunAsync("hba", "-f", node.ConfigFile, "--gate", "fenced", "--apply")).ExitCode);
    }

    [Fact]
    public async Task Nothing_is_opened_while_the_server_is_down()
    {
        using var node = new DataNode("127.20.13.1", start: false);
        var before = node.Hba;

        var answer = await Shell.RunAsync("hba", "-f", node.ConfigFile, "--gate", "readwrite", "--apply");

        Assert.Equal((ExitCodes.Unavailable, before), (answer.ExitCode, node.Hba));
    }

    [Fact]
    public async Task A_fence_before_the_server_starts_makes_it_come_back_shut()
    {
        using var node = new DataNode("127.20.14.1", start: false);

        var answer = await Shell.RunAsync("fence", "-f", node.ConfigFile);

        Assert.Equal(ExitCodes.Ok, answer.ExitCode);
        node.Server.Start();
        var refusal = Assert.Throws<Npgsql.PostgresException>(() => node.Server.Connect("somebody", overTcp: true));
        Assert.Contains("pg_hba.conf rejects", refusal.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fence_of_a_running_server_is_confirmed_and_ends_sessions()
    {
        using var node = new DataNode("127.20.15.1");
        node.Server.Query("create role client login");
        using var client = node.Server.Connect("client", overTcp: true);

        var answer = await Shell.RunAsync("fence", "-f", node.ConfigFile);

        Assert.Equal(ExitCodes.Ok, answer.ExitCode);
        using var insert = new Npgsql.NpgsqlCommand("select 1", client);
        Assert.ThrowsAny<Npgsql.NpgsqlException>(() => insert.ExecuteScalar());
    }
}
