using System.Text.Json;
using Harepd.Cli;
using Harepd.Tests.Files;
using Xunit;

namespace Harepd.Tests.Cli;

/// <summary>The script of <c>harepd init-sql</c> on a real server: afterwards the daemon's own checks miss nothing.</summary>
public sealed class InitSqlTests
{
    private const string User = "h'a r%pd";

    [Fact]
    public async Task A_role_made_by_the_script_has_all_rights_that_check_looks_for_and_it_may_be_run_again()
    {
        using var node = new DataNode("127.20.40.1", "failover: { manager: harepd }\n  history: { table: true }");
        File.WriteAllText(node.ConfigFile, (await File.ReadAllTextAsync(node.ConfigFile)).Replace("user: postgres", $"user: \"{User}\"", StringComparison.Ordinal));
        node.Server.Query("create database repmgr");

        Run(node, await ScriptAsync(node));
        Assert.DoesNotContain(await DoorsAsync(node), IsAboutRights);

        node.Server.Query("create role repmgr login");
        Run(node, await ScriptAsync(node));
        Assert.Equal("True", node.Server.Query("select rolreplication and not rolsuper from pg_roles where rolname = 'repmgr'"));
        Assert.Equal("False", node.Server.Query("select bool_or(rolsuper) from pg_roles where rolname <> 'postgres'"));
    }

    [Fact]
    public async Task What_is_not_in_use_is_not_granted_and_check_says_what_is_missing_for_what_is()
    {
        using var node = new DataNode("127.20.41.1");
        var plain = await File.ReadAllTextAsync(node.ConfigFile);
        File.WriteAllText(node.ConfigFile, plain.Replace("user: postgres", "user: harepd", StringComparison.Ordinal));
        node.Server.Query("create database repmgr");
        var script = await ScriptAsync(node);
        Run(node, script);
        Assert.DoesNotContain(await DoorsAsync(node), IsAboutRights);
        Assert.DoesNotContain("pg_promote", script, StringComparison.Ordinal);
        Assert.DoesNotContain("harepd.history", script, StringComparison.Ordinal);

        node.Server.Query("grant execute on function pg_promote(boolean, integer) to harepd");
        File.WriteAllText(node.ConfigFile, plain.Replace("user: postgres", "user: harepd", StringComparison.Ordinal) + "\n  failover: { manager: harepd }\n  history: { table: true }\n");
        var missing = (await DoorsAsync(node)).Where(IsAboutRights).ToList();
        Assert.Contains(missing, door => door.Contains("set primary_conninfo, nor make a checkpoint", StringComparison.Ordinal));
        Assert.Contains(missing, door => door.Contains("harepd.history", StringComparison.Ordinal));
    }

    private static bool IsAboutRights(string door) =>
        (door.StartsWith("PostgreSQL", StringComparison.Ordinal) && !door.Contains("open", StringComparison.Ordinal)) || door.StartsWith("rights", StringComparison.Ordinal) || door.StartsWith("harepd.history", StringComparison.Ordinal);

    private static async Task<string> ScriptAsync(DataNode node)
    {
        var answer = await Shell.RunAsync("init-sql", "-f", node.ConfigFile);
        Assert.Equal((ExitCodes.Ok, ""), (answer.ExitCode, answer.Error));
        return answer.Output;
    }

    private static void Run(DataNode node, string script)
    {
        var file = Path.Combine(node.Server.Folder, "init.sql");
        File.WriteAllText(file, script);
        Command.Run("runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-h", node.Server.Folder, "-p", $"{node.Server.Port}", "-d", "postgres", "-f", file);
    }

    private static async Task<IReadOnlyList<string>> DoorsAsync(DataNode node)
    {
        var answer = await Shell.RunAsync("check", "--json", "-f", node.ConfigFile);
        return [.. JsonDocument.Parse(answer.Output).RootElement.GetProperty("doors").EnumerateArray()
            .Select(door => $"{door.GetProperty("door").GetString()} {door.GetProperty("state").GetString()} {door.GetProperty("detail").GetString()}")];
    }
}
