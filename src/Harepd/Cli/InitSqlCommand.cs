using System.CommandLine;
using Harepd.Config;
using Harepd.History;
using Harepd.Postgres;
using Harepd.Runtime;

namespace Harepd.Cli;

/// <summary><c>harepd init-sql -f FILE</c>: the SQL that gives the daemon's users the least that this configuration needs.</summary>
internal static class InitSqlCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var command = new Command("init-sql", "Write the SQL that creates the daemon's role with the least rights.");
        manual.Add(command, """
            Writes a psql script and touches nothing. Run it as a superuser on the primary; the standbys get it by replication, and it may be
            run again. Each grant says which feature needs it; docs/RIGHTS.md has the table. Exit codes: 0 done, 78 wrong configuration.

            Example:
              harepd init-sql -f /etc/harepd.yml | psql -X -d postgres
            """);
        command.SetAction(parsed =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            parsed.InvocationConfiguration.Output.Write(RightsSql.Write(QuestionOf(read.Config)));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static RightsQuestion QuestionOf(HarepdConfig config)
    {
        var server = PostgresDoor.SettingsOf(config);
        return new RightsQuestion
        {
            User = server.User,
            Database = server.Database,
            Promotes = config.Failover.Manager == FailoverManager.Harepd,
            Synchronizes = config.Failover.Synchronous == SynchronousMode.Managed,
            ReplicationUser = server.ReplicationUser,
            ReplicationDatabase = server.ReplicationDatabase,
            RepmgrUser = config.Repmgr?.User,
            RepmgrDatabase = config.Repmgr?.Db ?? "",
            HistoryTable = config.History.Table ? HistorySql.Create : null,
        };
    }
}
