-- What was decided about plans is read from the table plan_event, which sql/state makes; this derived table is no more.
drop table if exists plan_decision;
