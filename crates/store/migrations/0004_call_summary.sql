-- What a call was like in one line, once it is over: a CallSummary.
ALTER TABLE escalations ADD COLUMN quality TEXT;
