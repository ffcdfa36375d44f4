"""A Twitch of our own on real sockets: id service, Helix, EventSub, and chat over IRC, with all of Twitch's faults.

async with Standin() as twitch:                         # twitch.id_url, .helix_url, .eventsub_url, .irc_url
    message_id = await twitch.say("!bg castle", "ann")  # on EventSub and on IRC, under one id
    await twitch.delete(message_id)

Its parts: ``grants`` (device codes, tokens), ``helix`` and ``rewards`` (HTTP), ``eventsub`` (the socket),
``faults`` (what a route answers instead). Two foreign clients, TwitchIO and twitchAPI, run against it in
test_foreign_clients.py, which shows that it behaves like Twitch.
"""
