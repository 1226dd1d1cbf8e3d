# Connects with each string of a file and says what came of it, a line each. Arguments: the driver, the file.
import asyncio, sys

QUERY = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"


def dbapi(connect):
    def run(text):
        connection = connect(text)
        cursor = connection.cursor()
        cursor.execute(QUERY)
        found = cursor.fetchone()[0]
        connection.close()
        return found

    return run


def psycopg(text):
    import psycopg

    return dbapi(psycopg.connect)(text)


def psycopg2(text):
    import psycopg2

    return dbapi(psycopg2.connect)(text)


def asyncpg(text):
    import asyncpg

    async def main():
        connection = await asyncpg.connect(text, timeout=20)
        found = await connection.fetchval(QUERY)
        await connection.close()
        return found

    return asyncio.run(main())


def sqlalchemy(text):
    from sqlalchemy import create_engine, text as sql

    engine = create_engine(text)
    with engine.connect() as connection:
        found = connection.execute(sql(QUERY)).scalar()
    engine.dispose()
    return found


run = {"psycopg": psycopg, "psycopg2": psycopg2, "asyncpg": asyncpg, "sqlalchemy": sqlalchemy}[sys.argv[1]]
for line in open(sys.argv[2]):
    try:
        print("tls" if run(line.rstrip("\n")) else "plaintext", flush=True)
    except BaseException as error:
        print("refused", type(error).__name__, " ".join(str(error).split()), flush=True)
